"""A typical file of every feed, of the simulated desk: the same ones in every run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from benchmarks.samples import FIRST_AT, SEED
from trade_assets.datasets.dataset import Feed
from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.simulators.desk.eod_file import eod_file
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.pnl_grid_file import pnl_grid_file
from trade_assets.simulators.desk.settlement_files import (
    futures_settlement_file,
    options_settlement_file,
)
from trade_assets.simulators.desk.sod_file import start_of_day_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.simulators.desk.vtexp_file import vtexp_file

RISK_ROWS: Final = (80, 400)
CLOSE: Final = datetime(2025, 7, 17, 21, 0, tzinfo=UTC)
"""16:00 Central of the day of `FIRST_AT`."""

LEDGER_TRADES_PER_HOUR: Final = 9.0
"""Some 200 rows at the end of a ledger day."""


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One file of a feed. `rows` is of the accounting: what is stored, and what is rejected."""

    feed: Feed
    name: str
    data: bytes
    rows: int

    @property
    def label(self) -> str:
        """The feed and how many rows the file has."""
        return f"{self.feed.path}, {self.rows:,} rows"


def feed_files() -> list[FeedFile]:
    """A file of every feed in the order of the registry; of spot risk a small and a large one."""
    return [
        FeedFile(feed, name, data, feed.parse(data, name).rows_in)
        for feed, (name, data) in _contents()
    ]


def _contents() -> Iterator[tuple[Feed, tuple[str, bytes]]]:
    for rows in RISK_ROWS:
        yield SPOT_RISK, spot_risk_file(SEED, FIRST_AT, rows=rows)
    yield VTEXP, vtexp_file(FIRST_AT)
    yield PNL_GRID, pnl_grid_file(SEED, FIRST_AT)
    yield EOD, eod_file(SEED, CLOSE)
    yield SOD, start_of_day_file(SEED, FIRST_AT, RISK_ROWS[0])
    yield FILLS, ledger_file(SEED, CLOSE + timedelta(minutes=59), LEDGER_TRADES_PER_HOUR)
    yield FUTURES_SETTLEMENT, futures_settlement_file(SEED, CLOSE)
    yield OPTIONS_SETTLEMENT, options_settlement_file(SEED, CLOSE)
