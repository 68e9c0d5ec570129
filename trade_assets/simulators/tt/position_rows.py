"""Positions, from what the fills of a trading day add up to, and how TT writes them.

Amounts are in points times contracts, as the sample seems to have them (its own do not follow from
its other fields). No fills are made here.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from trade_assets.simulators.desk.simulated_market import random_stream
from trade_assets.simulators.tt.futures import Future
from trade_assets.simulators.tt.order_rows import TRADERS, Fill, Order, Side

_STREAM: Final = 103  # of random numbers
_HELD_SHARE: Final = 0.7
_MOST_HELD: Final = 300


class Holding(NamedTuple):
    """What a position is in."""

    account: int
    future: Future


@dataclass(slots=True)
class Traded:
    """One side of a holding's fills: contracts, and the sum of their prices in points."""

    quantity: int = 0
    points: float = 0.0

    @property
    def average(self) -> float:
        """Price of a contract; 0 if there are none."""
        return self.points / self.quantity if self.quantity else 0.0


@dataclass
class Totals:
    """Sums of fills by holding and side."""

    sums: defaultdict[tuple[Holding, Side], Traded] = field(
        default_factory=lambda: defaultdict(Traded)
    )

    def add(self, fill: Fill) -> None:
        """Count a fill."""
        order, quantity = fill.order, fill.execution.quantity
        traded = self.sums[Holding(order.trader.account, order.future), order.side]
        traded.quantity += quantity
        traded.points += quantity * order.price


def working_totals(orders: list[Order], at_ns: int) -> dict[tuple[Holding, Side], int]:
    """What is left of working orders at a time, by holding and side."""
    sums: dict[tuple[Holding, Side], int] = defaultdict(int)
    for order in orders:
        holding = Holding(order.trader.account, order.future)
        sums[holding, order.side] += order.leaves(at_ns)
    return sums


def start_positions(seed: int, ordinal: int, futures: tuple[Future, ...]) -> dict[Holding, int]:
    """Contracts held as a trading day (by its ordinal) begins; all holdings, some with none."""
    stream = random_stream(seed, _STREAM, ordinal)
    held: dict[Holding, int] = {}
    for trader in TRADERS:
        for future in futures:
            size = int(stream.integers(-_MOST_HELD, _MOST_HELD + 1))
            held[Holding(trader.account, future)] = size if stream.random() < _HELD_SHARE else 0
    return held


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a future: what it is worth now, and its last settlement. In points."""

    now: float
    settled: float


def position_row(
    holding: Holding,
    held: int,
    bought: Traded,
    sold: Traded,
    working: tuple[int, int],
    prices: Prices,
) -> dict[str, Any]:
    """A position as `ttmonitor/position` has it.

    What was held is worth its settlement, the day's buys and sells their average prices: `pnl` is
    what all of it has made since, `realizedPnl` what buys and sells that cancel out have.
    """
    net = held + bought.quantity - sold.quantity
    made = (
        held * (prices.now - prices.settled)
        + (bought.quantity * prices.now - bought.points)
        + (sold.points - sold.quantity * prices.now)
    )
    both = min(bought.quantity, sold.quantity)
    closed = both * (sold.average - bought.average) if both else 0.0
    return {
        "avgBuy": bought.average,
        "avgSell": sold.average,
        "buyFillQty": float(bought.quantity),
        "buyWorkingQty": float(working[0]),
        "instrumentId": holding.future.id,
        "netPosition": float(net),
        "openAvgPrice": prices.now - (made - closed) / net if net else 0.0,
        "pnl": made,
        "pnlPrice": prices.now,
        "pnlPriceType": "MIDPOINT",
        "realizedPnl": closed,
        "sellFillQty": float(sold.quantity),
        "sellWorkingQty": float(working[1]),
        "sodNetPos": float(held),
        "sodPrice": prices.settled,
        "sodPriceType": "SETTLE",
        "accountId": holding.account,
    }


def start_row(holding: Holding, held: int, settled: float) -> dict[str, Any]:
    """A start-of-day record as `ttmonitor/sod` has it."""
    return {
        "accountId": holding.account,
        "instrumentId": holding.future.id,
        "sodNetPos": float(held),
        "sodPrice": settled,
        "sodPriceType": "SETTLE",
    }
