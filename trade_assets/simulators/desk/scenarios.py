"""What the two simulated scenario files share, the PnL grid and the EOD file: their name stem, the
names of their scopes, and the shocks. Their figures are their own business.
"""

from datetime import datetime
from typing import Final

import numpy as np

from trade_assets.market.contracts import Contract
from trade_assets.market.instrument import contract_instrument
from trade_assets.market.symbols import SymbolNotation, format_symbol
from trade_assets.simulators.desk.option_chain import UNDERLYING
from trade_assets.simulators.desk.simulated_market import central

SHOCKS: Final = np.arange(-12, 13) / 4
"""Absolute shocks of the future's price, in points."""

POINTS_PER_BASIS_POINT: Final = 0.063
"""What a basis point of yield moves the future's price by."""


def scenario_file_name(at: datetime, suffix: str) -> str:
    """Name of a scenario file of an aware time."""
    return f"GE_{UNDERLYING}_{central(at):%Y%m%d_%H%M%S}.{suffix}"


def scope(series: Contract) -> str:
    """What Actant calls the options of an expiry: `21MAY25`, a monthly one `AUG25`."""
    symbol = format_symbol(contract_instrument(series), SymbolNotation.ACTANT_TIME)
    return symbol.rpartition(".")[2]
