"""Documents and rows in TT's shape for the tests of the snapshots' formats."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from trade_assets.datasets.records import ParsedFile
from trade_assets.tt.formats.snapshot import AnswerInfo, Manifest, Snapshot, SnapshotDocument

SLOT = datetime(2025, 5, 15, 17, 2, 30, tzinfo=UTC)
RECEIVED = datetime(2025, 5, 15, 17, 2, 30, 123456, tzinfo=UTC)
TIME_NS = 1747328540354606867  # 2025-05-15 17:02:20.354606867 UTC
INSTRUMENT_ID = "8092262517946017060"
NAMES = {INSTRUMENT_ID: "ZNM5"}

ORDER = {
    "accountId": 1000001,
    "cumulatedQuantity": 2.0,
    "dateTime": TIME_NS,
    "instrumentId": INSTRUMENT_ID,
    "leavesQuantity": 78.0,
    "manualOrderIndicator": False,
    "marketId": 183,
    "orderId": "0aca0322-8ef1-4607-951d-93224663017b",
    "orderQty": 80.0,
    "orderStatus": "1",
    "orderType": "2",
    "price": 110.171875,
    "side": "1",
    "timeInForce": "1",
}
FILL = {
    "accountId": 1000001,
    "executionType": "F",
    "instrumentId": INSTRUMENT_ID,
    "lastPx": 110.171875,
    "lastQty": 5.0,
    "leavesQty": 75.0,
    "marketId": 7,
    "orderId": "0aca0322-8ef1-4607-951d-93224663017b",
    "side": "2",
    "timeStamp": TIME_NS,
    "tradeDate": 20250515,
    "uniqueExecId": "OEKlCBRr29MA0UkFdkRrJM",
}
POSITION = {
    "accountId": 1000001,
    "instrumentId": INSTRUMENT_ID,
    "netPosition": 219.0,
    "pnlPrice": 110.3671875,
    "pnlPriceType": "MIDPOINT",
    "sodPrice": 110.25,
    "sodPriceType": "SETTLE",
}
INSTRUMENT = {
    "expirationDate": 20250618235959,
    "id": INSTRUMENT_ID,
    "lastTradeDate": 20250618,
    "name": "ZNM5",
    "productId": "16143309052651006928",
    "tickSize": 0.015625,
}
LISTS = {
    "orders": "orders",
    "fills": "fills",
    "positions": "positions",
    "instruments": "instrument",
}


def of_bodies(kind: str, *bodies: bytes, **manifest: Any) -> SnapshotDocument:
    """A document of these bodies."""
    answers = tuple(AnswerInfo("service/endpoint", {}, RECEIVED, len(body)) for body in bodies)
    fields = {"environment": "ext_prod_sim", "kind": kind, "slot": SLOT, "answers": answers}
    return SnapshotDocument(Manifest(**{**fields, **manifest}), bodies)


def of_rows(kind: str, *pages: Iterable[Any], **manifest: Any) -> SnapshotDocument:
    """A document of an answer for each page of rows."""
    bodies = [orjson.dumps({LISTS[kind]: list(page), "lastPage": "true"}) for page in pages]
    return of_bodies(kind, *bodies, **manifest)


def read(snapshot: Snapshot, *rows: Any, names: Mapping[str, str] = NAMES) -> ParsedFile:
    """The frame of one page of rows, which must have the promised schema."""
    parsed = snapshot.read(of_rows(snapshot.kind, rows), names)
    assert dict(parsed.frame.schema) == snapshot.frame_schema
    assert parsed.rows_in == len(rows)
    return parsed


def reason(snapshot: Snapshot, row: Any) -> str:
    """Why a row is rejected, which it must be."""
    parsed = read(snapshot, row)
    assert parsed.frame.is_empty()
    return parsed.rejected[0].reason
