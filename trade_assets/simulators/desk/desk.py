"""When the simulated desk writes which file. Pure: nothing here sleeps or writes.

Files of an interval come at a desk's start and then when the interval's next slot on the clock
begins. Daily files come at the start too, as they were written when they fell due: a desk that is
started again writes the same names and bytes.

`Desk` is for tests and benchmarks, which want the files of an hour at once; `runner` plays the same
files by the clock.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from trade_assets.simulators.desk.eod_file import EXPIRIES, eod_file
from trade_assets.simulators.desk.ledger_file import TRADES_PER_HOUR, ledger_file
from trade_assets.simulators.desk.pnl_grid_file import pnl_grid_file
from trade_assets.simulators.desk.settlement_files import (
    futures_settlement_file,
    options_settlement_file,
)
from trade_assets.simulators.desk.simulated_market import (
    SHAPES,
    last_close,
    random_stream,
    trading_day,
)
from trade_assets.simulators.desk.sod_file import start_of_day_file
from trade_assets.simulators.desk.spot_risk_file import ROWS, spot_risk_chunks, spot_risk_file
from trade_assets.simulators.desk.vtexp_file import vtexp_file

_FEWEST_EXPIRIES: Final = 2


class DeskFile(NamedTuple):
    """A file as the desk writes it: when (aware), under which name, and what is in it."""

    at: datetime
    file_name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DeskPlan:
    """What a desk writes, and how often.

    Attributes:
        seed: of the market and all else; the same seed and times give the same bytes.
        interval_seconds: from one spot-risk file to the next (true desks: 1 to 7).
        rows: data rows of a spot-risk file (true desks: 80 to 400).
        narrow_share: share of spot-risk files that have 9 columns in place of 16.
        chunked_share: share of spot-risk pictures that come in `chunks` files.
        chunks: files of such a picture.
        ledger_seconds: how often the ledger is looked at; it is written when it has changed.
        trades_per_hour: pace of the ledger, on average.
        vtexp_seconds: from one file of times to expiry to the next.
        grid_seconds: from one PnL grid to the next.
        eod_expiries: expiries of the end-of-day file (at least 2); each is 100 KB.
    """

    seed: int = 7
    interval_seconds: float = 1.0
    rows: int = ROWS
    narrow_share: float = 0.1
    chunked_share: float = 0.02
    chunks: int = 16
    ledger_seconds: float = 2.0
    trades_per_hour: float = TRADES_PER_HOUR
    vtexp_seconds: float = 960.0
    grid_seconds: float = 300.0
    eod_expiries: int = EXPIRIES

    def __post_init__(self) -> None:
        intervals = (self.interval_seconds, self.ledger_seconds)
        if min(*intervals, self.vtexp_seconds, self.grid_seconds) <= 0:
            raise ValueError("a desk's intervals are above 0")
        if self.seed < 0:
            raise ValueError("a seed is at least 0")
        if self.eod_expiries < _FEWEST_EXPIRIES:
            raise ValueError(f"an end-of-day file has at least {_FEWEST_EXPIRIES} expiries")


class Desk:
    """An endless desk: iterate over its files from `start` (aware) on, in order of time."""

    def __init__(self, plan: DeskPlan, start: datetime) -> None:
        self.plan = plan
        self.start = start

    def __iter__(self) -> Iterator[DeskFile]:
        state = DeskState(self.plan)
        step = timedelta(seconds=self.plan.interval_seconds)
        at = self.start
        while True:
            yield from state.due(at)
            at += step


class DeskState:
    """What a desk has written, so that it writes nothing twice."""

    def __init__(self, plan: DeskPlan) -> None:
        self._plan = plan
        self._slots: dict[str, Hashable] = {}

    def due(self, at: datetime) -> Iterator[DeskFile]:
        """The files to write at `at`. Their names tell seconds apart: a second has one picture."""
        for name, data in self._contents(at):
            yield DeskFile(at, name, data)

    def _contents(self, at: datetime) -> Iterator[tuple[str, bytes]]:
        plan, seconds = self._plan, at.timestamp()
        if self._begins("spot_risk", int(seconds)):
            yield from _picture(plan, at)
        if self._begins("ledger", seconds // plan.ledger_seconds):
            name, data = ledger_file(plan.seed, at, plan.trades_per_hour)
            # A ledger only grows, so name and size tell whether it changed.
            if self._begins("ledger's content", (name, len(data))):
                yield name, data
        if self._begins("vtexp", seconds // plan.vtexp_seconds):
            yield vtexp_file(at)
        if self._begins("pnl_grid", seconds // plan.grid_seconds):
            yield pnl_grid_file(plan.seed, at)
        yield from self._daily(at)

    def _daily(self, at: datetime) -> Iterator[tuple[str, bytes]]:
        seed, close = self._plan.seed, last_close(at)
        if self._begins("sod", trading_day(at)):
            yield start_of_day_file(seed, at, self._plan.rows)
        if self._begins("close", close):
            yield futures_settlement_file(seed, close)
            yield options_settlement_file(seed, close)
            yield eod_file(seed, close, self._plan.eod_expiries)

    def _begins(self, kind: str, slot: Hashable) -> bool:
        """Whether a slot of this kind of file is a new one; then it is the current one."""
        is_new = self._slots.get(kind) != slot
        self._slots[kind] = slot
        return is_new


def _picture(plan: DeskPlan, at: datetime) -> list[tuple[str, bytes]]:
    narrow, chunked = random_stream(plan.seed, SHAPES, int(at.timestamp())).random(2)
    wide = bool(narrow >= plan.narrow_share)
    if chunked < plan.chunked_share:
        return spot_risk_chunks(plan.seed, at, plan.chunks, rows=plan.rows, wide=wide)
    return [spot_risk_file(plan.seed, at, rows=plan.rows, wide=wide)]
