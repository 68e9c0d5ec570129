"""The registry: which feeds exist. Adding one is a module beside this and a line in `FEEDS`."""

from collections.abc import Mapping
from typing import Final

from trade_assets.datasets.dataset import Feed
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


def feed_of_file(file_name: str) -> Feed | None:
    """The feed whose name pattern the file name matches as a whole, or None."""
    for feed in FEEDS.values():
        if feed.file_pattern.fullmatch(file_name):
            return feed
    return None
