"""The other futures that the desk looks at: each moves with the one that is simulated, in a fixed
proportion. No options and no file formats belong here.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

from trade_assets.market.prices import ticks_to_price
from trade_assets.market.products import PRODUCTS
from trade_assets.simulators.desk.simulated_market import MEAN_LEVEL, future_mid

LEVEL_AND_MOVE: Final[Mapping[str, tuple[float, float]]] = {
    "ZT": (103.6, 0.25),
    "ZF": (108.3, 0.6),
    "ZN": (MEAN_LEVEL, 1.0),
    "TN": (113.8, 1.3),
    "ZB": (114.5, 1.7),
    "UB": (118.2, 2.2),
    "FGBL": (129.5, 0.9),
}
"""By product: price when ZN is at its mean, and points for each of its points from there."""

CODES: Final = ("ZT", "ZF", "ZN", "ZB", "FGBL")
"""Products that the desk has in its books."""


def future_price(seed: int, code: str, at: datetime) -> Decimal:
    """Price of a product's front future at an aware time: on its ticks, in points, exactly."""
    level, move = LEVEL_AND_MOVE[code]
    product = PRODUCTS[code]
    points = level + move * (future_mid(seed, at) - MEAN_LEVEL)
    return ticks_to_price(round(points / product.tick), product)
