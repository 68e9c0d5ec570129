"""Answers as a desk saw them, field by field. Skipped where the files are not there."""

from datetime import date

import orjson
import pytest

from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.document import read_document, write_document
from trade_assets.tt.formats.instruments_snapshot import instrument_names
from trade_assets.tt.formats.row_models import (
    Instrument,
    Order,
    Position,
    TtRow,
)
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.tt.formats.documents import of_bodies

SAMPLES = reference.DATA / "tt"
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no real files here")

CODES = {"side", "orderType", "timeInForce", "orderStatus", "pnlPriceType", "sodPriceType"}
FILES: dict[str, tuple[str, str, type[TtRow]]] = {
    "orders": ("ttledger_orders.json", "orders", Order),
    "positions": ("ttmonitor_position.json", "positions", Position),
    "instruments": ("ttpds_instrument_4877721789746411490.json", "instrument", Instrument),
}


def expected(name: str, value: object) -> object:
    """A value of the JSON as its column has it, by the facts of TT_API.md."""
    if name in ("lastTradeDate", "expirationDate"):
        return date(2025, 6, 18)
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    text = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if text and name not in ("dateTime", "marketDepth", "roundLotQty") else value


@pytest.mark.parametrize("kind", FILES)
def test_every_field_of_a_real_answer(kind: str) -> None:
    file_name, rows_name, model = FILES[kind]
    body = (SAMPLES / file_name).read_bytes()
    document = of_bodies(kind, body)
    assert read_document(write_document(document), "x").bodies == (body,)
    parsed = SNAPSHOTS_BY_KIND[kind].read(document, {"8092262517946017060": "ZNM5"})
    rows = orjson.loads(body)[rows_name]
    assert (parsed.frame.height, parsed.rejected, parsed.unknown_columns) == (len(rows), (), ())
    columns = {item.alias or name: name for name, item in model.model_fields.items()}
    for row, record in zip(rows, parsed.frame.to_dicts(), strict=True):
        for name in columns.keys() - CODES:
            assert record[columns[name]] == expected(name, row.get(name)), name
    assert parsed.frame["instrument_id"].to_list() == ["ZNM25"] * len(rows)


def test_the_words_of_the_real_orders() -> None:
    body = (SAMPLES / "ttledger_orders.json").read_bytes()
    frame = SNAPSHOTS_BY_KIND["orders"].read(of_bodies("orders", body), {}).frame
    assert frame["order_type"].to_list() == ["limit", "stop_limit", *["limit"] * 5]
    assert frame["side"].to_list() == ["buy", "sell", "buy", "sell", "sell", "buy", "buy"]
    assert frame["order_status"].unique().to_list() == ["new"]
    parent = frame.filter(market_id="1001").row(0, named=True)
    assert (parent["price"], parent["quantity"], parent["synthetic_status"]) == (None, None, "3")
    assert parent["algo_instrument_id"] == "10628608476345732679"


def test_the_name_of_the_real_instrument() -> None:
    body = (SAMPLES / "ttpds_instrument_4877721789746411490.json").read_bytes()
    names = instrument_names(of_bodies("instruments", body))
    assert names == {"4877721789746411490": "ZNM5"}
