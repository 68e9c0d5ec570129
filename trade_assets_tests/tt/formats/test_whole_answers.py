"""Whole answers, samples and those that a desk saw, field by field."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import orjson
import pytest

from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.document import read_document, write_document
from trade_assets.tt.formats.instruments_snapshot import instrument_names
from trade_assets.tt.formats.row_models import (
    Fill,
    Instrument,
    Order,
    Position,
    TtRow,
)
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.samples import hand_made
from trade_assets_tests.samples.made_files import SAMPLES
from trade_assets_tests.tt.formats.documents import of_bodies

CODES = {"side", "orderType", "timeInForce", "orderStatus", "pnlPriceType", "sodPriceType"}
PATTERNS: dict[str, tuple[str, str, type[TtRow]]] = {
    "orders": ("ttledger_orders.json", "orders", Order),
    "fills": ("ttledger_fills.json", "fills", Fill),
    "positions": ("ttmonitor_position.json", "positions", Position),
    "instruments": ("ttpds_instrument*.json", "instrument", Instrument),
}
FILES = [
    (kind, path)
    for kind, (pattern, _, _) in PATTERNS.items()
    for path in reference.desk_files("tt", pattern)
]
NAMES: Mapping[str, str] = {hand_made.INSTRUMENT_ID: "ZNU5", "8092262517946017060": "ZNM5"}
CONTRACTS: Mapping[str, str] = {"ZNU5": "ZNU25", "ZNM5": "ZNM25"}


def expected(name: str, value: object) -> object:
    """A value of the JSON as its column has it, by the facts of TT_API.md."""
    if name in ("lastTradeDate", "expirationDate", "tradeDate"):
        digits = str(value)
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    if isinstance(value, dict):
        return orjson.dumps(value).decode()
    text = isinstance(value, int) and not isinstance(value, bool)
    plain = ("dateTime", "timeStamp", "marketDepth", "roundLotQty")
    return str(value) if text and name not in plain else value


def name_of(kind: str, row: Mapping[str, object]) -> str:
    """The name of the instrument that a row is about."""
    return str(row["name"]) if kind == "instruments" else NAMES[str(row["instrumentId"])]


@pytest.mark.parametrize(("kind", "path"), FILES, ids=lambda item: getattr(item, "name", item))
def test_every_field_of_an_answer(kind: str, path: Path) -> None:
    _, rows_name, model = PATTERNS[kind]
    body = path.read_bytes()
    document = of_bodies(kind, body)
    assert read_document(write_document(document), "x").bodies == (body,)
    parsed = SNAPSHOTS_BY_KIND[kind].read(document, NAMES)
    rows = orjson.loads(body)[rows_name]
    assert (parsed.frame.height, parsed.rejected, parsed.unknown_columns) == (len(rows), (), ())
    columns = {item.alias or name: name for name, item in model.model_fields.items()}
    for row, record in zip(rows, parsed.frame.to_dicts(), strict=True):
        for name in columns.keys() - CODES:
            assert record[columns[name]] == expected(name, row.get(name)), name
        assert record["instrument_id"] == CONTRACTS[name_of(kind, row)]


def test_every_kind_has_an_answer() -> None:
    assert {kind for kind, path in FILES if path.is_relative_to(SAMPLES)} == set(SNAPSHOTS_BY_KIND)


def test_the_words_of_orders() -> None:
    body = (SAMPLES / "tt" / "ttledger_orders.json").read_bytes()
    frame = SNAPSHOTS_BY_KIND["orders"].read(of_bodies("orders", body), {}).frame
    assert frame["order_type"].to_list() == ["limit", "stop_limit", "limit", "limit"]
    assert frame["side"].to_list() == ["buy", "sell", "buy", "sell"]
    assert frame["order_status"].unique().to_list() == ["new"]
    parent = frame.filter(market_id="1001").row(0, named=True)
    assert (parent["price"], parent["quantity"], parent["synthetic_status"]) == (None, None, "3")
    assert parent["algo_instrument_id"] == "8001000000000000005"


@pytest.mark.parametrize("kind", ["orders", "fills", "positions"])
def test_every_row_of_a_simulated_answer_is_a_record(kind: str) -> None:
    file_name = {"positions": "position"}.get(kind, kind)
    body = (SAMPLES / "tt" / f"simulated_{file_name}.json").read_bytes()
    parsed = SNAPSHOTS_BY_KIND[kind].read(of_bodies(kind, body), {})
    assert parsed.frame.height == len(orjson.loads(body)[PATTERNS[kind][1]]) > 0
    assert (parsed.rejected, parsed.unknown_columns) == ((), ())


@pytest.mark.parametrize(
    "path", [path for kind, path in FILES if kind == "instruments"], ids=lambda path: path.name
)
def test_the_name_of_an_instrument(path: Path) -> None:
    body = path.read_bytes()
    (row,) = orjson.loads(body)["instrument"]
    assert instrument_names(of_bodies("instruments", body)) == {row["id"]: row["name"]}
