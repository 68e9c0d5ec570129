"""The answers of the data endpoints: which rows, cut into pages, in TT's envelope.

A page key names the time whose rows the first page showed, and how many of them were shown: the
pages of one listing are of one moment, and no order is lost or doubled between them.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from trade_assets.simulators.tt.account import Market, Row, day_of
from trade_assets.simulators.tt.api_call import Call
from trade_assets.simulators.tt.futures import (
    MARKETS,
    code_of_product_id,
    future_of_id,
    instrument_row,
    listed,
    product_rows,
)
from trade_assets.simulators.tt.http_responses import Refusal
from trade_assets.simulators.tt.simulator_options import SimulatorOptions

ROWS: Final[Mapping[str, str]] = {
    "orders": "orders",
    "fills": "fills",
    "position": "positions",
    "sod": "sods",
    "markets": "markets",
    "products": "products",
    "instruments": "instruments",
    "instrument": "instrument",
}
"""Under which name an endpoint's answer has its rows."""

_KEY_MARK: Final = "tt-page"


class _Place(NamedTuple):
    at_ns: int
    shown: int


class Answers:
    """Answers calls that are in order."""

    def __init__(self, market: Market, options: SimulatorOptions) -> None:
        self._market = market
        self._options = options
        self._listings: Mapping[str, Callable[[Call, int], list[Row]]] = {
            "orders": lambda _, at_ns: market.orders(at_ns),
            "position": lambda _, at_ns: market.positions(at_ns),
            "sod": lambda _, at_ns: market.start_of_day(at_ns),
            "markets": lambda *_: [{"id": key, "name": name} for key, name in MARKETS.items()],
            "products": lambda call, _: product_rows(_number(call, "marketId")),
            "instruments": _instruments,
            "instrument": lambda call, _: _instrument(call),
        }

    def answer(self, call: Call, *, empty: bool = False, last: bool = False) -> dict[str, Any]:
        """The answer's body. With `empty` it has no rows: the next page has them, or with `last`
        nobody does.

        Raises:
            Refusal: 400 or 404.
        """
        if call.endpoint == "fills":
            return _body(call.endpoint, [] if empty else self._fills(call), None)
        if empty and last:
            return _body(call.endpoint, [], None)
        place = self._place(call)
        rows = self._listings[call.endpoint](call, place.at_ns)
        until = place.shown + (0 if empty else self._options.order_page)
        key = _page_key(_Place(place.at_ns, until)) if empty or until < len(rows) else None
        return _body(call.endpoint, rows[place.shown : until], key)

    def _fills(self, call: Call) -> list[Row]:
        now = self._market.now_ns()
        first = _number(call, "minTimestamp") if "minTimestamp" in call.query else None
        last = _number(call, "maxTimestamp") if "maxTimestamp" in call.query else now
        return self._market.fills(first, min(last, now), self._options.fill_page)

    def _place(self, call: Call) -> _Place:
        key = call.query.get("nextPageKey")
        if key is None:
            return _Place(self._market.now_ns(), 0)
        try:
            mark, at_ns, shown = b64decode(key, validate=True).decode().split("/")
            place = _Place(int(at_ns), int(shown))
        except (Base64Error, ValueError):
            mark = ""
        if mark != _KEY_MARK or place.shown < 0 or not 0 <= place.at_ns <= self._market.now_ns():
            raise Refusal(HTTPStatus.BAD_REQUEST, "nextPageKey is not one that was given")
        return place


def _body(endpoint: str, rows: list[Row], key: str | None) -> dict[str, Any]:
    body = {"lastPage": "false" if key else "true", ROWS[endpoint]: rows, "status": "Ok"}
    if key:
        body["nextPageKey"] = key
    return dict(sorted(body.items()))


def _page_key(place: _Place) -> str:
    # Base64 with its "+", "/" and "=": whoever puts it into a URL as it is will not be understood.
    return b64encode(f"{_KEY_MARK}/{place.at_ns}/{place.shown}".encode()).decode()


def _number(call: Call, name: str) -> int:
    text = call.query.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} is not a number")
    return int(text)


def _instruments(call: Call, at_ns: int) -> list[Row]:
    code = code_of_product_id(call.query.get("productId", ""))
    if code is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "There is no such product")
    return [instrument_row(item) for item in listed(day_of(at_ns)) if item.code == code]


def _instrument(call: Call) -> list[Row]:
    item = future_of_id(call.argument)
    if item is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "There is no such instrument")
    return [instrument_row(item)]
