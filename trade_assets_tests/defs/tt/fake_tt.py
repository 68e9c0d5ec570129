"""A TT API that answers from lists: what a slot's run asks, without a network.

The rows are TT's own, as in the samples of its documentation.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from trade_assets.errors import RemoteUnavailableError
from trade_assets.remote.protection.limits import BreakerState, CallTally, ProtectionState
from trade_assets.tt.client.answers import Answer, FillAnswers
from trade_assets.tt.formats.row_models import Fill, Instrument, Order, Position

Row = dict[str, Any]
T = TypeVar("T")

INSTRUMENT = "4877721789746411490"


def order(order_id: str, price: float = 110.171875, at_ns: int = 1747328540354606867) -> Row:
    return {
        "accountId": 1000001,
        "currUserId": 3000001,
        "dateTime": at_ns,
        "instrumentId": INSTRUMENT,
        "leavesQuantity": 80.0,
        "marketId": 7,
        "orderId": order_id,
        "orderQty": 80.0,
        "orderStatus": "1",
        "orderType": "2",
        "price": price,
        "side": "1",
        "timeInForce": "1",
    }


def fill(number: int, at_ns: int = 1747328540354606867) -> Row:
    return {
        "accountId": 1000001,
        "brokerId": 2000001,
        "currUserId": 3000001,
        "execId": f"exec-{number}",
        "executionType": "F",
        "instrumentId": INSTRUMENT,
        "lastPx": 110.171875,
        "lastQty": 5.0,
        "leavesQty": 75.0,
        "marketId": 7,
        "orderId": "order-1",
        "side": "1",
        "timeStamp": at_ns,
        "tradeDate": 20250515,
        "uniqueExecId": f"exec-{number}",
        "userId": "3000001",
    }


def position(net: float = 219.0) -> Row:
    return {
        "accountId": 1000001,
        "instrumentId": INSTRUMENT,
        "netPosition": net,
        "pnl": 1.7855,
        "pnlPrice": 110.3671875,
        "pnlPriceType": "MIDPOINT",
        "sodNetPos": 169.0,
        "sodPrice": 110.25,
        "sodPriceType": "SETTLE",
    }


def instrument(instrument_id: str) -> Row:
    return {
        "alias": "ZN Jun25",
        "id": instrument_id,
        "marketId": 7,
        "name": "ZNM5",
        "pointValue": 1000.0,
        "productId": "16143309052651006928",
        "productSymbol": "ZN",
        "tickSize": 0.015625,
        "tickValue": 15.625,
    }


@dataclass
class FakeProtection:
    """What is looked at of the protection layer."""

    tally: CallTally = field(default_factory=CallTally)

    def state(self) -> ProtectionState:
        return ProtectionState("tt:ext_prod_sim", BreakerState.CLOSED, 0, 0.0, 1500, 15_000, 5, {})


@dataclass
class FakeTt:
    """Answers what its lists hold; kinds in `failing` are away."""

    orders_now: list[Row] = field(default_factory=lambda: [order("order-1"), order("order-2")])
    fills_now: list[Row] = field(
        default_factory=lambda: [fill(number, time.time_ns()) for number in (1, 2, 3)]
    )
    positions_now: list[Row] = field(default_factory=lambda: [position()])
    failing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    protection: FakeProtection = field(default_factory=FakeProtection)

    def orders(self, *, deadline: float | None = None) -> tuple[Answer[Order], ...]:
        return (self._answer("orders", self.orders_now, Order.model_validate),)

    def fills(self, since_ns: int, *, deadline: float | None = None) -> FillAnswers:
        rows = [row for row in self.fills_now if row["timeStamp"] >= since_ns]
        return FillAnswers((self._answer("fills", rows, Fill.model_validate),))

    def positions(self, *, deadline: float | None = None) -> tuple[Answer[Position], ...]:
        return (self._answer("positions", self.positions_now, Position.model_validate),)

    def instrument(
        self, instrument_id: str, *, deadline: float | None = None
    ) -> Answer[Instrument]:
        rows = [instrument(instrument_id)]
        return self._answer("instrument", rows, Instrument.model_validate)

    def _answer(self, what: str, rows: Sequence[Row], read: Callable[[Any], T]) -> Answer[T]:
        self.asked.append(what)
        self.protection.tally.calls += 1
        if what in self.failing:
            raise RemoteUnavailableError(f"{what}: 503 from TT")
        return answer(what, rows, read)


def answer(what: str, rows: Sequence[Row], read: Callable[[Any], T]) -> Answer[T]:
    """An answer as the client gives it."""
    payload = {what: list(rows), "lastPage": "true", "status": "Ok"}
    return Answer(
        path=f"fake/{what}",
        query={},
        received_at=datetime.now(UTC),
        data=orjson.dumps(payload),
        payload=payload,
        rows_name=what,
        read_row=read,
    )
