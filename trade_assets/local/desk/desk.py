"""When the simulated desk writes which file. Pure: nothing here sleeps or writes.

`Desk` is for tests and benchmarks, which want the files of an hour at once; `runner` plays the same
files by the clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from trade_assets.local.desk.ledger import TRADES_PER_HOUR, ledger_file
from trade_assets.local.desk.market import random_stream
from trade_assets.local.desk.spot_risk import ROWS, spot_risk_chunks, spot_risk_file

_SHAPES: Final = 6  # stream of random numbers, after those of `market`


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
    """

    seed: int = 7
    interval_seconds: float = 1.0
    rows: int = ROWS
    narrow_share: float = 0.1
    chunked_share: float = 0.02
    chunks: int = 16
    ledger_seconds: float = 2.0
    trades_per_hour: float = TRADES_PER_HOUR

    def __post_init__(self) -> None:
        if self.interval_seconds <= 0 or self.ledger_seconds <= 0:
            raise ValueError("a desk's intervals are above 0")
        if self.seed < 0:
            raise ValueError("a seed is at least 0")


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
        self._last_second: datetime | None = None
        self._next_ledger: datetime | None = None
        self._last_ledger: tuple[str, int] = ("", 0)

    def due(self, at: datetime) -> Iterator[DeskFile]:
        """The files to write at `at`. Their names tell seconds apart: a second has one picture."""
        second = at.replace(microsecond=0)
        if second != self._last_second:
            self._last_second = second
            for name, data in _picture(self._plan, at):
                yield DeskFile(at, name, data)
        if self._next_ledger is None or at >= self._next_ledger:
            self._next_ledger = at + timedelta(seconds=self._plan.ledger_seconds)
            name, data = ledger_file(self._plan.seed, at, self._plan.trades_per_hour)
            # A ledger only grows, so name and size tell whether it changed.
            if (name, len(data)) != self._last_ledger:
                self._last_ledger = (name, len(data))
                yield DeskFile(at, name, data)


def _picture(plan: DeskPlan, at: datetime) -> list[tuple[str, bytes]]:
    narrow, chunked = random_stream(plan.seed, _SHAPES, int(at.timestamp())).random(2)
    wide = bool(narrow >= plan.narrow_share)
    if chunked < plan.chunked_share:
        return spot_risk_chunks(plan.seed, at, plan.chunks, rows=plan.rows, wide=wide)
    return [spot_risk_file(plan.seed, at, rows=plan.rows, wide=wide)]
