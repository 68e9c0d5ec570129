"""Where simulated orders come from: seats, each of which always has one order at work.

When an order ends, its seat enters the next one in the same nanosecond, so that as many orders work
as there are seats. All that happens on a seat is drawn from (seed, trading day, seat) and from the
simulated market, so that it is the same for whoever looks, whenever.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Final

import numpy as np

from trade_assets.simulators.desk.simulated_market import random_stream
from trade_assets.simulators.tt.futures import Future
from trade_assets.simulators.tt.ids import guid
from trade_assets.simulators.tt.order_rows import (
    TRADERS,
    AlgoParent,
    Execution,
    Order,
    OrderType,
    Side,
    Trader,
)
from trade_assets.simulators.tt.quotes import TickArray, traded_ticks

SECOND_NS: Final = 1_000_000_000

_STREAM: Final = 100  # of random numbers; the desk has those below
_SIZES: Final = (1, 1, 2, 5, 10, 20, 40, 80)
_CAUSES: Final = (50, 62, 236)
_FRONT_SHARE: Final = 0.75
_MOST_PARTS: Final = 3
_QUEUE_SECONDS: Final = 60  # at most, until the market reaches what is left of an order again
_TWIN_SHARE: Final = 0.3  # of the trades: two executions in one nanosecond
_DRAWS: Final = 14  # random numbers an order


class Role(Enum):
    """What a seat's orders are for: how long they work at most, and how far from the market."""

    NEAR = (300.0, 1, 2)
    STOP = (1800.0, 2, 6)
    FAR = (1200.0, 3, 40)

    def __init__(self, mean_seconds: float, least_ticks: int, most_ticks: int) -> None:
        self.mean_seconds = mean_seconds
        self.least_ticks = least_ticks
        self.most_ticks = most_ticks


@dataclass(frozen=True, slots=True)
class Habits:
    """What the seats of a day have in common.

    Attributes:
        fills: whether the market fills orders; if not, they are pulled before it reaches them.
        executions: how many one trade of an order has, at least.
        patience: factor of how long far orders work, so that many of them are not many changes.
    """

    fills: bool
    executions: int
    patience: float


@dataclass(frozen=True, slots=True)
class DayClock:
    """A trading day: its start, ns since the epoch, and its seconds."""

    day: date
    start_ns: int
    seconds: int

    @property
    def end_ns(self) -> int:
        """When the next one begins."""
        return self.start_ns + self.seconds * SECOND_NS

    def second(self, at_ns: int) -> int:
        """The second of the day of a time within it."""
        return (at_ns - self.start_ns) // SECOND_NS


@dataclass
class Seat:
    """One seat on one day; `orders` grow in time."""

    seed: int
    clock: DayClock
    number: int
    role: Role
    habits: Habits
    futures: Sequence[Future]
    parent: AlgoParent | None
    orders: list[Order] = field(default_factory=list)
    _stream: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        day = self.clock.day.toordinal()
        self._stream = random_stream(self.seed, _STREAM, day, self.number)

    def grow(self, at_ns: int) -> list[Order]:
        """Enter orders until one works at a time of the day; those that are new."""
        before = len(self.orders)
        while not self.orders or self.orders[-1].end_ns <= at_ns:
            start = self.orders[-1].end_ns if self.orders else self.clock.start_ns
            self.orders.append(self._enter(start))
        return self.orders[before:]

    def working(self, at_ns: int) -> Order:
        """The order at work at a time that has been grown to."""
        return next(order for order in reversed(self.orders) if order.start_ns <= at_ns)

    def _enter(self, start_ns: int) -> Order:
        draws = [float(draw) for draw in self._stream.random(_DRAWS)]
        future, trader = self._who(draws)
        side = Side.BUY if draws[2] < 0.5 else Side.SELL
        ticks = self._ticks(future, side, start_ns, draws[3])
        quantity = _SIZES[int(draws[4] * len(_SIZES))] * self.habits.executions
        pulled_ns = self._pulled(start_ns, draws[5])
        executions = self._executions(
            self._touches(future, side, ticks, start_ns, pulled_ns), quantity, draws[6:]
        )
        is_done = bool(executions) and executions[-1].leaves == 0
        end_ns = executions[-1].at_ns if is_done else pulled_ns
        if not self._may_fill and executions:
            end_ns = self._before(executions[0].at_ns, start_ns)
            executions = ()
        day = self.clock.day.isoformat()
        return Order(
            id=guid("order", self.seed, day, self.number, len(self.orders)),
            trader=trader,
            future=future,
            side=side,
            type=OrderType.STOP_LIMIT if self.role is Role.STOP else OrderType.LIMIT,
            ticks=ticks,
            quantity=quantity,
            start_ns=start_ns,
            end_ns=end_ns,
            executions=executions,
            cause=_CAUSES[int(draws[6] * len(_CAUSES))],
            parent_id=self.parent.id if self.parent else None,
        )

    @property
    def _may_fill(self) -> bool:
        return self.habits.fills and self.role is not Role.FAR

    def _who(self, draws: Sequence[float]) -> tuple[Future, Trader]:
        if self.parent:
            return self.parent.future, self.parent.trader
        kinds = len(self.futures) // 2  # front and next of each, one after the other
        pick = int(draws[0] / _FRONT_SHARE * kinds) * 2
        if draws[0] >= _FRONT_SHARE:
            pick = int((draws[0] - _FRONT_SHARE) / (1 - _FRONT_SHARE) * kinds) * 2 + 1
        return self.futures[pick], TRADERS[int(draws[1] * len(TRADERS))]

    def _ticks(self, future: Future, side: Side, start_ns: int, draw: float) -> int:
        market = int(self._traded(future)[self._second(start_ns)])
        least, most = self.role.least_ticks, self.role.most_ticks
        away = least + int(draw * (most - least + 1))
        # A limit waits on its own side of the market, a stop on the other one.
        return market - side.sign * away * (-1 if self.role is Role.STOP else 1)

    def _pulled(self, start_ns: int, draw: float) -> int:
        mean = self.role.mean_seconds
        mean *= self.habits.patience if self.role is Role.FAR else 1.0
        return min(start_ns + int((1 + draw * 2 * mean) * SECOND_NS), self.clock.end_ns)

    def _touches(
        self, future: Future, side: Side, ticks: int, start_ns: int, end_ns: int
    ) -> TickArray:
        """Seconds of the order's life, but for its first and last, in which the market reaches it:
        from above that of a limit to buy and of a stop to sell."""
        first, end = self._second(start_ns) + 1, self._second(end_ns - 1)
        traded = self._traded(future)[first:end]
        from_above = (side is Side.BUY) is (self.role is not Role.STOP)
        reached = traded <= ticks if from_above else traded >= ticks
        return np.flatnonzero(reached) + first

    def _executions(
        self, touches: TickArray, quantity: int, draws: Sequence[float]
    ) -> Sequence[Execution]:
        """Each touch fills a part of the order, in one or several executions of one nanosecond;
        what is left has to queue before it is reached again."""
        # A stop trades as a whole when it is triggered.
        most = 1 if self.role is Role.STOP else min(_MOST_PARTS, quantity)
        parts = 1 + int(draws[1] * most)
        done: list[Execution] = []
        left, queued = quantity, 0
        for place in range(parts):
            nearest = int(np.searchsorted(touches, queued))
            if nearest == len(touches):
                break
            second = int(touches[nearest])
            queued = second + 1 + int(draws[5 + place] * _QUEUE_SECONDS)
            at_ns = self.clock.start_ns + second * SECOND_NS + int(draws[2 + place] * SECOND_NS)
            part = left // (parts - place)
            twin = draws[5 + place] < _TWIN_SHARE
            for size in split(part, min(part, self.habits.executions * (2 if twin else 1))):
                left -= size
                done.append(Execution(at_ns, size, left))
        return tuple(done)

    def _before(self, at_ns: int, start_ns: int) -> int:
        """A second earlier, but no order works for no time at all."""
        return max(at_ns - SECOND_NS, start_ns + SECOND_NS // 10)

    def _second(self, at_ns: int) -> int:
        return min(self.clock.second(at_ns), self.clock.seconds - 1)

    def _traded(self, future: Future) -> TickArray:
        return traded_ticks(self.seed, self.clock.day, future)


def split(quantity: int, parts: int) -> list[int]:
    """`quantity` in `parts` whole numbers, as even as it goes."""
    share, rest = divmod(quantity, parts)
    return [share + (place < rest) for place in range(parts)]
