"""Simulated orders and their fills, and how TT writes them. How they come about: `order_flow`.

Rows have TT's names, in the order of the samples; a fill is one execution of an order.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from trade_assets.simulators.tt.futures import CME, Future
from trade_assets.simulators.tt.ids import exec_id

BROKER: Final = 2_000_001
ALGO_MARKET: Final = 1001
"""Market of an algo's parent order, which has no price and no quantity of its own."""


class Side(StrEnum):
    """Of an order."""

    BUY = "1"
    SELL = "2"

    @property
    def sign(self) -> int:
        """1 of a buy, -1 of a sell."""
        return 1 if self is Side.BUY else -1


class OrderType(StrEnum):
    """What the simulated orders are."""

    LIMIT = "2"
    STOP_LIMIT = "4"


@dataclass(frozen=True, slots=True)
class Trader:
    """Who works an order, and for which account."""

    account: int
    user: int


TRADERS: Final = (Trader(1_000_001, 3_000_001), Trader(1_000_002, 3_000_002))


@dataclass(frozen=True, slots=True)
class Execution:
    """A part of an order that traded: when (ns), how much, and how much was left then."""

    at_ns: int
    quantity: int
    leaves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order and all that will become of it.

    It works from `start_ns` until before `end_ns`: then the last contract is filled, or it is
    cancelled. `executions` are in order of time.
    """

    id: str
    trader: Trader
    future: Future
    side: Side
    type: OrderType
    ticks: int
    quantity: int
    start_ns: int
    end_ns: int
    executions: Sequence[Execution]
    cause: int
    parent_id: str | None

    @property
    def price(self) -> float:
        """In points."""
        return self.ticks * self.future.tick

    def executed(self, at_ns: int) -> Sequence[Execution]:
        """What has traded at a time, the time included."""
        return self.executions[: bisect_right(self.executions, at_ns, key=lambda done: done.at_ns)]

    def leaves(self, at_ns: int) -> int:
        """What is still to be filled."""
        done = self.executed(at_ns)
        return done[-1].leaves if done else self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgoParent:
    """The order of an algorithm whose children trade."""

    id: str
    trader: Trader
    future: Future
    side: Side
    name: str
    start_ns: int


@dataclass(frozen=True, slots=True)
class Fill:
    """The execution `number` of an order."""

    order: Order
    number: int

    @property
    def execution(self) -> Execution:
        """What happened."""
        return self.order.executions[self.number]

    @property
    def at_ns(self) -> int:
        """When."""
        return self.execution.at_ns


def order_row(order: Order, at_ns: int) -> dict[str, Any]:
    """A working order as `ttledger/orders` has it at a time."""
    done = order.executed(at_ns)
    leaves = done[-1].leaves if done else order.quantity
    execution = exec_id(order.id, len(done) - 1) if done else exec_id(order.id, "new")
    row = {
        "accountId": order.trader.account,
        "algoType": 0,
        "brokerId": BROKER,
        "cumulatedQuantity": float(order.quantity - leaves),
        "currUserId": order.trader.user,
        "dateTime": done[-1].at_ns if done else order.start_ns,
        "execId": execution,
        "executionType": "14" if done else "1",
        "instrumentId": order.future.id,
        "leavesQuantity": float(leaves),
        "manualOrderIndicator": order.parent_id is None,
        "marketId": CME,
        "orderId": order.id,
        "orderQty": float(order.quantity),
        "orderStatus": "2" if done else "1",
        "orderType": order.type.value,
        "parentOrderId": order.parent_id,
        "price": order.price,
        "side": order.side.value,
        "stopPrice": order.price if order.type is OrderType.STOP_LIMIT else None,
        "timeInForce": "1",
        "uniqueExecId": execution,
        "userId": str(order.trader.user),
        "userParameters": _parameters(
            {"name": "__on_leave", "type": 2, "v_int32": 0},
            {"name": "terminator_cod", "type": 2, "v_int32": order.cause},
        ),
    }
    return {name: value for name, value in row.items() if value is not None}


def parent_row(parent: AlgoParent) -> dict[str, Any]:
    """An algo's parent order as `ttledger/orders` has it."""
    execution = exec_id(parent.id, "new")
    return {
        "accountId": parent.trader.account,
        "algoInstrumentId": "10628608476345732679",
        "algoType": 0,
        "brokerId": BROKER,
        "currUserId": parent.trader.user,
        "dateTime": parent.start_ns,
        "execId": execution,
        "executionType": "12",
        "instrumentId": parent.future.id,
        "manualOrderIndicator": True,
        "marketId": ALGO_MARKET,
        "orderId": parent.id,
        "orderStatus": "1",
        "orderType": "2",
        "securityDescription": parent.name,
        "side": parent.side.value,
        "syntheticStatus": 3,
        "syntheticType": "7",
        "timeInForce": "2",
        "uniqueExecId": execution,
        "userId": str(parent.trader.user),
        "userParameters": _parameters(
            {"displayName": "", "name": "_algo_version", "type": 7, "v_string": "1.0.1"},
            {"displayName": "", "name": "_algo_name", "type": 7, "v_string": parent.name},
            {"displayName": "", "name": "_ladder_display", "type": 2, "v_int32": 0},
            {"displayName": "", "name": "enable_algo_risk_checks", "type": 6, "v_bool": False},
            {"name": "05406aac-a5d9-43a8-972b-cfda65b9c40d", "type": 0, "v_double": 3.0},
            {"name": "4f9303ce-1ad3-4a05-ae23-970a455d3fdd", "type": 0, "v_double": 0.4},
            {"name": "_ignore_market_state", "type": 6, "v_bool": False},
        ),
    }


def fill_row(fill: Fill, trade_date: int) -> dict[str, Any]:
    """A fill as `ttledger/fills` has it; `trade_date` as YYYYMMDD."""
    order, execution = fill.order, fill.execution
    number = exec_id(order.id, fill.number)
    return {
        "accountId": order.trader.account,
        "brokerId": BROKER,
        "currUserId": order.trader.user,
        "execId": number,
        "executionType": "F",
        "instrumentId": order.future.id,
        "lastPx": order.price,
        "lastQty": float(execution.quantity),
        "leavesQty": float(execution.leaves),
        "marketId": CME,
        "orderId": order.id,
        "side": order.side.value,
        "timeStamp": execution.at_ns,
        "tradeDate": trade_date,
        "uniqueExecId": number,
        "userId": str(order.trader.user),
    }


def _parameters(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"userParameterList": list(parameters)}
