"""One trading day of the simulated account: its seats, and all their fills in order of time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from typing import Final

import numpy as np

from trade_assets.simulators.desk.simulated_market import day_start, random_stream
from trade_assets.simulators.tt.futures import CODES, Future, listed
from trade_assets.simulators.tt.ids import guid
from trade_assets.simulators.tt.order_flow import SECOND_NS, DayClock, Habits, Role, Seat
from trade_assets.simulators.tt.order_rows import (
    TRADERS,
    AlgoParent,
    Execution,
    Fill,
    Order,
    OrderType,
    Side,
)
from trade_assets.simulators.tt.position_rows import Totals
from trade_assets.simulators.tt.quotes import TickArray, traded_ticks
from trade_assets.simulators.tt.simulator_options import SimulatorOptions

BACKLOG_NS: Final = 60 * SECOND_NS
"""The backlog is made in the first minute of a day."""

_SEATS_PER_PARENT: Final = 20
_CHILDREN: Final = 6  # of each parent
_FEWEST_WITH_PARENT: Final = 5
_STOP_SHARE: Final = 0.1
_ORDINARY_ORDERS: Final = 100
_FILLS_PER_SEAT: Final = 0.6  # a minute, of a near seat whose trades are one execution
_BACKLOG, _BURST = 101, 102  # streams of random numbers, and words of ids
_BURST_SIZES: Final = (1, 1, 2, 3, 4)


def clock_of(day: date) -> DayClock:
    """Start and length of a trading day."""
    start, end = day_start(day), day_start(day + timedelta(days=1))
    start_ns = int(start.timestamp()) * SECOND_NS
    return DayClock(day, start_ns, int((end - start).total_seconds()))


class TradingDay:
    """Orders and fills of one trading day at any time of it. Times are ns since the epoch."""

    def __init__(self, day: date, options: SimulatorOptions) -> None:
        self.clock = clock_of(day)
        self.futures = listed(day)
        self._options = options
        self._fills: list[Fill] = []
        self._bursts = 0
        self._grown_ns = -1
        self._totals, self._totals_ns, self._totalled = Totals(), -1, 0
        self.parents = self._make_parents()
        self._seats = self._make_seats()
        self._add(self._backlog())

    @property
    def trade_date(self) -> int:
        """As YYYYMMDD."""
        return int(f"{self.clock.day:%Y%m%d}")

    def working(self, at_ns: int) -> list[Order]:
        """The orders at work, without the algos' parents."""
        self._grow(at_ns)
        return [seat.working(at_ns) for seat in self._seats]

    def fills(self, first_ns: int, last_ns: int) -> list[Fill]:
        """Fills from a time to a time, both included; oldest first."""
        self._grow(last_ns)
        first = bisect_left(self._fills, first_ns, key=_at)
        return self._fills[first : bisect_right(self._fills, last_ns, key=_at)]

    def totals(self, at_ns: int) -> Totals:
        """What the fills until a time (included) add up to."""
        self._grow(at_ns)
        if at_ns < self._totals_ns:
            self._totals, self._totalled = Totals(), 0
        until = bisect_right(self._fills, at_ns, key=_at)
        for fill in self._fills[self._totalled : until]:
            self._totals.add(fill)
        self._totals_ns, self._totalled = at_ns, until
        return self._totals

    def burst(self, at_ns: int, count: int, per_ns: int) -> None:
        """Add `count` fills from a time on, `per_ns` in each nanosecond.

        They are no part of what the seed gives; the time must not be before one that was looked at.
        """
        self._bursts += 1
        sizes = chain.from_iterable([per_ns] for _ in range(count // per_ns))
        places = [*sizes, *([count % per_ns] if count % per_ns else [])]
        self._add(
            self._filled(at_ns + place, size, _BURST, self._bursts * 1_000_000 + place)
            for place, size in enumerate(places)
        )

    def _grow(self, at_ns: int) -> None:
        """Let the seats enter orders until a time of the day (later is the day's last ns)."""
        at_ns = min(at_ns, self.clock.end_ns - 1)
        if at_ns <= self._grown_ns:
            return
        self._grown_ns = at_ns
        self._add(order for seat in self._seats for order in seat.grow(at_ns))

    def _add(self, orders: Iterator[Order]) -> None:
        new = [Fill(order, number) for order in orders for number, _ in enumerate(order.executions)]
        if new:
            self._fills += new
            self._fills.sort(key=lambda fill: (fill.at_ns, fill.order.id, fill.number))

    def _make_parents(self) -> list[AlgoParent]:
        orders, day = self._options.orders, self.clock.day
        count = max(1, orders // _SEATS_PER_PARENT) if orders >= _FEWEST_WITH_PARENT else 0
        return [
            AlgoParent(
                id=guid("parent", self._options.seed, day.isoformat(), number),
                trader=TRADERS[number % len(TRADERS)],
                future=self.futures[2 * (number % len(CODES))],
                side=(Side.BUY, Side.SELL)[number % 2],
                name=f"{number % 9 + 1}MartingaleAPITEST",
                start_ns=self.clock.start_ns,
            )
            for number in range(count)
        ]

    def _make_seats(self) -> list[Seat]:
        count = self._options.orders - len(self.parents)
        near, habits = self._habits(count)
        stops = int(count * _STOP_SHARE)
        roles = [Role.NEAR] * near + [Role.STOP] * stops
        roles += [Role.FAR] * (count - len(roles))
        return [
            Seat(
                seed=self._options.seed,
                clock=self.clock,
                number=number,
                role=roles[number],
                habits=habits,
                futures=self.futures,
                parent=self._parent_of(number),
            )
            for number in range(count)
        ]

    def _habits(self, count: int) -> tuple[int, Habits]:
        """How many seats are near the market, and what gives the fills per minute that are asked
        for: more such seats, and where there are no more, more executions a trade."""
        wanted = self._options.fills_per_minute / _FILLS_PER_SEAT
        most = count - int(count * _STOP_SHARE)
        near = min(most, round(wanted)) if wanted else 0
        if wanted:
            near = max(near, min(1, most))
        return near, Habits(
            fills=wanted > 0,
            executions=max(1, round(wanted / near)) if near else 1,
            patience=max(1.0, self._options.orders / _ORDINARY_ORDERS),
        )

    def _parent_of(self, number: int) -> AlgoParent | None:
        place, child = divmod(number, _SEATS_PER_PARENT)
        return self.parents[place] if child < _CHILDREN and place < len(self.parents) else None

    def _backlog(self) -> Iterator[Order]:
        count = self._options.backlog_fills
        day = self.clock.day.toordinal()
        draws = random_stream(self._options.seed, _BACKLOG, day)
        times = np.sort(draws.integers(0, BACKLOG_NS, count)).tolist()
        sizes = draws.choice(_BURST_SIZES, count).tolist()
        left = count
        for number, (at, size) in enumerate(zip(times, sizes, strict=True)):
            if left:
                size = min(size, left)
                left -= size
                yield self._filled(self.clock.start_ns + at, size, _BACKLOG, number)

    def _filled(self, at_ns: int, executions: int, kind: int, number: int) -> Order:
        """An order at the market that is filled at once, in executions of one contract each."""
        future = self.futures[number % len(self.futures)]
        second = min(self.clock.second(at_ns), self.clock.seconds - 1)
        return Order(
            id=guid("filled", self._options.seed, self.clock.day.isoformat(), kind, number),
            trader=TRADERS[number % len(TRADERS)],
            future=future,
            side=(Side.BUY, Side.SELL)[number // len(TRADERS) % 2],
            type=OrderType.LIMIT,
            ticks=int(self._traded(future)[second]),
            quantity=executions,
            start_ns=at_ns,
            end_ns=at_ns,
            executions=tuple(
                Execution(at_ns, 1, executions - done) for done in range(1, executions + 1)
            ),
            cause=0,
            parent_id=None,
        )

    def _traded(self, future: Future) -> TickArray:
        return traded_ticks(self._options.seed, self.clock.day, future)


def _at(fill: Fill) -> int:
    return fill.at_ns
