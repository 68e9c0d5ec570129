"""A model of TT for the tests of capturing: what it holds, and an API of our own types over it.

It knows no HTTP, limits or tokens; pages are followed by the code that the real client uses.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from trade_assets.errors import RemoteRejectedError
from trade_assets.remote.protection.limits import BreakerState, CallTally, ProtectionState
from trade_assets.tt.client import endpoints
from trade_assets.tt.client.answers import Answer, FillAnswers, T
from trade_assets.tt.client.endpoints import Endpoint
from trade_assets.tt.client.pages import pages_by_time
from trade_assets.tt.formats.row_models import Fill, Instrument, Order, Position

ZN, ZF = "8092262517946017060", "4877721789746411490"
NAMES = {ZN: "ZNM5", ZF: "ZFM5"}
FILLS_A_PAGE = 4

Fault = Callable[[], Exception]


@dataclass
class TtModel:
    """What TT holds: rows by id, as it would write them."""

    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fills: list[dict[str, Any]] = field(default_factory=list)
    positions: dict[str, dict[str, Any]] = field(default_factory=dict)
    instruments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def order(self, name: str, price: float, time_ns: int, instrument: str = ZN) -> None:
        """A working order, placed or changed."""
        self.orders[name] = {
            "orderId": name, "price": price, "dateTime": time_ns, "instrumentId": instrument,
            "side": "1", "orderQty": 80.0, "leavesQuantity": 80.0, "accountId": 1000001,
            "marketId": 7, "orderStatus": "1", "orderType": "2",
        }  # fmt: skip

    def fill(self, name: str, time_ns: int, instrument: str = ZN) -> None:
        """A fill that happened."""
        self.fills.append({
            "uniqueExecId": name, "execId": name, "timeStamp": time_ns, "orderId": f"order-{name}",
            "instrumentId": instrument, "lastPx": 110.171875, "lastQty": 5.0, "leavesQty": 75.0,
            "side": "1", "accountId": 1000001, "marketId": 7, "executionType": "F",
            "tradeDate": 20261121,
        })  # fmt: skip

    def position(self, quantity: float, instrument: str = ZN) -> None:
        """A position, opened or changed."""
        self.positions[instrument] = {
            "accountId": 1000001, "instrumentId": instrument, "netPosition": quantity,
            "pnlPrice": 110.3671875, "pnlPriceType": "MIDPOINT",
        }  # fmt: skip

    def instrument(self, instrument: str) -> None:
        """An instrument that TT knows."""
        self.instruments[instrument] = {
            "id": instrument, "name": NAMES.get(instrument, f"X{instrument}"), "marketId": 7,
            "alias": f"alias {instrument}", "tickSize": 0.015625, "pointValue": 1000.0,
        }  # fmt: skip


@dataclass
class StillGuard:
    """A protection layer that lets everything through, and counts."""

    tally: CallTally = field(default_factory=CallTally)

    def state(self) -> ProtectionState:
        """Always the same."""
        return ProtectionState("tt:test", BreakerState.CLOSED, 0, 0.0, 120, 15000, 5, {})


@dataclass
class ModelApi:
    """Answers from a model. `faults` are raised instead, by the kind or `instrument/<id>`.

    Attributes:
        asked: what was asked for, in order: the kind, or `instrument/<id>`.
        before_answer: called with the kind before every answer.
        fills_stop_after: fills end transiently after so many answers.
    """

    model: TtModel
    clock: Callable[[], datetime]
    protection: StillGuard = field(default_factory=StillGuard)
    faults: dict[str, Fault] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    deadlines: list[float | None] = field(default_factory=list)
    before_answer: Callable[[str], None] = lambda _: None

    def orders(self, *, deadline: float | None = None) -> tuple[Answer[Order], ...]:
        """All orders, in pages of two."""
        self._ask("orders", deadline)
        rows = list(self.model.orders.values())
        pages = [rows[start : start + 2] for start in range(0, len(rows), 2)] or [[]]
        return tuple(self._answer(endpoints.ORDERS, page) for page in pages)

    def fills(self, since_ns: int, *, deadline: float | None = None) -> FillAnswers:
        """Fills from a time on."""
        self._ask("fills", deadline)

        def ask(start_ns: int) -> Answer[Fill]:
            if "fills/page" in self.faults and start_ns > since_ns:
                raise self.faults["fills/page"]()
            found = [fill for fill in self.model.fills if fill["timeStamp"] >= start_ns]
            found.sort(key=lambda fill: int(fill["timeStamp"]))
            query = {"minTimestamp": str(start_ns)}
            return self._answer(endpoints.FILLS, found[:FILLS_A_PAGE], query)

        return pages_by_time(ask, since_ns, page_size=FILLS_A_PAGE)

    def positions(self, *, deadline: float | None = None) -> tuple[Answer[Position], ...]:
        """All positions."""
        self._ask("positions", deadline)
        return (self._answer(endpoints.POSITIONS, self.model.positions.values()),)

    def instrument(
        self, instrument_id: str, *, deadline: float | None = None
    ) -> Answer[Instrument]:
        """One instrument."""
        self._ask(f"instrument/{instrument_id}", deadline)
        if instrument_id not in self.model.instruments:
            raise RemoteRejectedError(f"no instrument {instrument_id}", 404)
        endpoint = endpoints.INSTRUMENT
        return self._answer(endpoint, [self.model.instruments[instrument_id]], at=instrument_id)

    def count(self, what: str) -> int:
        """How often something was asked for."""
        return self.asked.count(what)

    def _ask(self, what: str, deadline: float | None) -> None:
        self.asked.append(what)
        self.deadlines.append(deadline)
        self.protection.tally.add(CallTally(calls=1, attempts=1))
        self.before_answer(what)
        if what in self.faults:
            raise self.faults[what]()

    def _answer(
        self,
        endpoint: Endpoint[T],
        rows: Iterable[Any],
        query: Mapping[str, str] | None = None,
        at: str = "",
    ) -> Answer[T]:
        # Not as compact as orjson writes it: bodies are kept as they come.
        payload = {endpoint.rows_name: list(rows), "lastPage": "true", "status": "Ok"}
        data = orjson.dumps(payload, option=orjson.OPT_INDENT_2)
        return Answer(
            path=f"{endpoint.path}/{at}" if at else endpoint.path,
            query=query or {},
            received_at=self.clock(),
            data=data,
            payload=payload,
            rows_name=endpoint.rows_name,
            read_row=endpoint.read_row,
        )


@dataclass
class Clock:
    """A clock that is set."""

    now: datetime = datetime(2026, 11, 21, 10, 0, 0, 31_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def at(self, slot: datetime, seconds: float = 0.031) -> None:
        """Set it to so many seconds after a slot."""
        self.now = slot + timedelta(seconds=seconds)
