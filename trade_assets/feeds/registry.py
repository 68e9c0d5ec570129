"""The registry: which feeds exist. Adding one is a module beside this and a line in `FEEDS`."""

from collections.abc import Mapping
from typing import Final

from trade_assets.feeds.base import Feed
from trade_assets.feeds.eod import EOD
from trade_assets.feeds.fills import FILLS
from trade_assets.feeds.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.pnl_grid import PNL_GRID
from trade_assets.feeds.sod import SOD
from trade_assets.feeds.spot_risk import SPOT_RISK
from trade_assets.feeds.vtexp import VTEXP

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


def feed_of_file(file_name: str) -> Feed | None:
    """The feed whose name pattern the file name matches as a whole, or None."""
    for feed in FEEDS.values():
        if feed.file_pattern.fullmatch(file_name):
            return feed
    return None
