"""What the simulated TT tells of: orders, fills and positions of the trading day at a time.

A function of (seed, options, time), whenever the process began; only `burst` adds to it. Knows no
HTTP.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from trade_assets.simulators.desk.simulated_market import trading_day
from trade_assets.simulators.tt.order_flow import SECOND_NS
from trade_assets.simulators.tt.order_rows import Fill, Side, fill_row, order_row, parent_row
from trade_assets.simulators.tt.position_rows import (
    Holding,
    Prices,
    Traded,
    position_row,
    start_positions,
    start_row,
    working_totals,
)
from trade_assets.simulators.tt.quotes import midpoint, settlement
from trade_assets.simulators.tt.simulator_options import SimulatorOptions
from trade_assets.simulators.tt.trading_day import TradingDay

Row = dict[str, Any]

DAYS_BACK: Final = 2
"""Fills of so many trading days before today's can be asked for."""


def day_of(at_ns: int) -> date:
    """The trading day of a time."""
    return trading_day(datetime.fromtimestamp(at_ns // SECOND_NS, UTC))


class Market:
    """The simulated account. One thread. Times are ns since the epoch."""

    def __init__(
        self, options: SimulatorOptions, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._options = options
        self._clock_ns = clock_ns
        self._days: dict[date, TradingDay] = {}

    def now_ns(self) -> int:
        """The time."""
        return self._clock_ns()

    def orders(self, at_ns: int) -> list[Row]:
        """Working orders, algo parents among them, in order of their ids."""
        day = self._day(day_of(at_ns))
        rows = [parent_row(parent) for parent in day.parents]
        rows += [order_row(order, at_ns) for order in day.working(at_ns)]
        return sorted(rows, key=lambda row: str(row["orderId"]))

    def fills(self, first_ns: int | None, last_ns: int, most: int) -> list[Row]:
        """The oldest `most` fills from `first_ns` (included; None: since the trading day began) to
        `last_ns` (included)."""
        last_day = day_of(last_ns)
        first_day = last_day
        if first_ns is not None and first_ns <= last_ns:
            first_day = max(day_of(first_ns), last_day - timedelta(days=DAYS_BACK))
        rows: list[Row] = []
        while first_day <= last_day and len(rows) < most:
            day = self._day(first_day)
            found: list[Fill] = day.fills(first_ns or 0, last_ns)
            rows += [fill_row(fill, day.trade_date) for fill in found[: most - len(rows)]]
            first_day += timedelta(days=1)
        return rows

    def positions(self, at_ns: int) -> list[Row]:
        """Positions of all accounts: what was held, is held, was traded or may be."""
        day = self._day(day_of(at_ns))
        sums, second = day.totals(at_ns).sums, day.clock.second(at_ns)
        working = working_totals(day.working(at_ns), at_ns)
        seed, rows = self._options.seed, []
        for holding, held in self._held(day).items():
            buy, sell = (holding, Side.BUY), (holding, Side.SELL)
            if not (held or {buy, sell} & (sums.keys() | working.keys())):
                continue
            prices = Prices(
                midpoint(seed, day.clock.day, holding.future, second),
                settlement(seed, day.clock.day, holding.future),
            )
            # Looked up so that a holding that was not traded makes no sums.
            bought, sold = sums.get(buy, Traded()), sums.get(sell, Traded())
            at_work = (working.get(buy, 0), working.get(sell, 0))
            rows.append(position_row(holding, held, bought, sold, at_work, prices))
        return rows

    def start_of_day(self, at_ns: int) -> list[Row]:
        """What was held as the trading day began."""
        day = self._day(day_of(at_ns))
        return [
            start_row(holding, held, settlement(self._options.seed, day.clock.day, holding.future))
            for holding, held in self._held(day).items()
            if held
        ]

    def burst(self, count: int, per_ns: int) -> int:
        """Let `count` fills happen now, `per_ns` in each nanosecond; returns the first one's ns."""
        at_ns = self.now_ns()
        self._day(day_of(at_ns)).burst(at_ns, count, per_ns)
        return at_ns

    def _held(self, day: TradingDay) -> dict[Holding, int]:
        return start_positions(self._options.seed, day.clock.day.toordinal(), day.futures)

    def _day(self, day: date) -> TradingDay:
        if day not in self._days:
            self._days[day] = TradingDay(day, self._options)
            for old in sorted(self._days)[: -(DAYS_BACK + 1)]:
                del self._days[old]
        return self._days[day]
