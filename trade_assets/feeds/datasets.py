"""The data sets of the desk's files: feeds, and what is derived from them.

Adding one is a module in `formats/` or `derived/`, and a line here.
"""

from collections.abc import Mapping
from typing import Final

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.feeds.derived.declarations import GREEKS, POSITIONS, Derived
from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.formats.vtexp import VTEXP

FEEDS: Final[Mapping[str, Feed]] = {
    feed.path: feed
    for feed in (
        SPOT_RISK,
        VTEXP,
        PNL_GRID,
        EOD,
        SOD,
        FILLS,
        FUTURES_SETTLEMENT,
        OPTIONS_SETTLEMENT,
    )
}
"""Every feed by its path, `<source>/<name>`."""

DERIVED: Final[Mapping[str, Derived]] = {item.path: item for item in (GREEKS, POSITIONS)}
"""Every derived data set by its path, `derived/<name>`."""

DATASETS: Final[Mapping[str, Dataset]] = {**FEEDS, **DERIVED}
"""What the registry finds here."""


def derived_beside(dataset: Dataset) -> list[Derived]:
    """The data sets that look at the statements of this one beside their origin's records."""
    return [
        item
        for item in DERIVED.values()
        if any(other.feed is dataset and other.keys is None for other in item.inputs.values())
    ]


def derived_from(dataset: Dataset) -> list[Derived]:
    """The data sets that are computed from this one."""
    return [item for item in DERIVED.values() if item.origin is dataset]
