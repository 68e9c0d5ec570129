"""What of TT is asked for: paths, where the rows are, and what an answer must have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic

from trade_assets.tt.client.answers import T
from trade_assets.tt.client.pages import last_page
from trade_assets.tt.client.payloads import Payload
from trade_assets.tt.formats.row_models import Fill, Instrument, Order, Position

Row = Mapping[str, Any]
"""A row of a kind that has no model, because nobody reads it yet."""


@dataclass(frozen=True)
class Endpoint(Generic[T]):
    """A kind of question.

    Attributes:
        path: service and endpoint.
        rows_name: member of an answer that holds the rows.
        read_row: one row to its type.
        says_last: an answer must tell whether it is the last page, because a set that is
            replaced as a whole must not be taken for whole if it is not.
        by_time: pages are asked for by time, not by key.
    """

    path: str
    rows_name: str
    read_row: Callable[[Any], T]
    says_last: bool = False
    by_time: bool = False

    def fault(self, payload: Payload) -> str | None:
        """What an answer lacks; None: nothing."""
        rows = payload.get(self.rows_name)
        if not isinstance(rows, list):
            return f"the answer has no list {self.rows_name!r}"
        is_last = last_page(payload)
        if self.says_last and is_last is None:
            return "the answer does not say whether it is the last page"
        if is_last is not False:
            return None
        if self.by_time:
            return None if rows else "an empty page that is not the last one"
        return None if payload.get("nextPageKey") else "not the last page, but no nextPageKey"


def as_row(row: Any) -> Row:
    """A row as it is."""
    return row if isinstance(row, dict) else {}


ORDERS: Final = Endpoint("ttledger/orders", "orders", Order.model_validate, says_last=True)
FILLS: Final = Endpoint("ttledger/fills", "fills", Fill.model_validate, by_time=True)
POSITIONS: Final = Endpoint("ttmonitor/position", "positions", Position.model_validate)
INSTRUMENT: Final = Endpoint("ttpds/instrument", "instrument", Instrument.model_validate)
INSTRUMENTS: Final = Endpoint("ttpds/instruments", "instruments", Instrument.model_validate)
MARKETS: Final = Endpoint("ttpds/markets", "markets", as_row)
PRODUCTS: Final = Endpoint("ttpds/products", "products", as_row)
START_OF_DAY: Final = Endpoint("ttmonitor/sod", "sods", as_row)
