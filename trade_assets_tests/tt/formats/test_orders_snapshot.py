"""Orders: TT's loose types, and the set as a whole."""

from datetime import UTC, date, datetime

import orjson
import pytest

from trade_assets.datasets.dataset import to_records
from trade_assets.errors import UnparsableFileError
from trade_assets.tt.formats.answer_rows import MAX_ROW_BYTES
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.formats.row_models import Order
from trade_assets_tests.tt.formats.documents import (
    INSTRUMENT_ID,
    ORDER,
    TIME_NS,
    of_bodies,
    of_rows,
    read,
    reason,
)


def value(column: str, **fields: object) -> object:
    """What an order with these fields has in a column."""
    (row,) = read(ORDERS, {**ORDER, **fields}).frame.to_dicts()
    return row[column]


def test_an_order() -> None:
    (row,) = read(ORDERS, ORDER).frame.to_dicts()
    assert {name: item for name, item in row.items() if item is not None} == {
        "record_key": ORDER["orderId"],
        "event_time": datetime(2025, 5, 15, 17, 2, 20, 354606, tzinfo=UTC),
        "row": 1,
        "trading_date": date(2025, 5, 15),
        "instrument_id": "ZNM25",
        "product": "ZN",
        "expiry": date(2025, 6, 18),
        "underlying_id": "ZNM25",
        "instrument": "ZNM5",
        "order_id": ORDER["orderId"],
        "account_id": "1000001",
        "market_id": "183",
        "tt_instrument_id": INSTRUMENT_ID,
        "side": "buy",
        "order_type": "limit",
        "time_in_force": "day",
        "order_status": "new",
        "price": 110.171875,
        "quantity": 80.0,
        "filled_quantity": 2.0,
        "working_quantity": 78.0,
        "time_ns": TIME_NS,
        "is_manual": False,
    }


def test_records_have_the_schema_that_the_stores_hold() -> None:
    parsed = read(ORDERS, ORDER)
    assert dict(to_records(ORDERS, parsed, "a/key").schema) == ORDERS.record_schema


def test_an_algos_parent_has_no_price_and_no_quantity() -> None:
    parent = {key: ORDER[key] for key in ("orderId", "dateTime", "instrumentId", "side")}
    (row,) = read(ORDERS, {**parent, "marketId": 1001}).frame.to_dicts()
    columns = ("price", "quantity", "filled_quantity", "working_quantity", "stop_price")
    assert [row[name] for name in columns] == [None] * 5
    assert row["market_id"] == "1001"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (18446744073709551615, "18446744073709551615"),  # beyond int64
        ("99999999999999999999999", "99999999999999999999999"),
        (0, "0"),
        ("007", "007"),
        (None, None),
        ("", None),
    ],
)
def test_ids_are_texts(given: int | str | None, kept: str | None) -> None:
    assert value("account_id", accountId=given) == kept


def test_a_big_id_is_the_record_key() -> None:
    assert value("record_key", orderId=16143309052651006928) == "16143309052651006928"


@pytest.mark.parametrize("given", [True, 1.5, 1e19, [], {}, ["x"]])
def test_what_is_no_id(given: object) -> None:
    assert "is neither a text nor a whole number" in reason(ORDERS, {**ORDER, "orderId": given})


@pytest.mark.parametrize(
    ("field", "column", "codes"),
    [
        ("side", "side", {"1": "buy", "2": "sell", 2: "sell", "5": "5"}),
        ("orderType", "order_type", {"2": "limit", 4: "stop_limit", "Q": "Q", "": None}),
        ("timeInForce", "time_in_force", {"1": "day", "2": "good_till_cancel", "99": "99"}),
        ("orderStatus", "order_status", {"1": "new", "2": "partially_filled", "x": "x"}),
    ],
)
def test_codes_are_words_and_unknown_ones_stay(
    field: str, column: str, codes: dict[str | int, str | None]
) -> None:
    assert {code: value(column, **{field: code}) for code in codes} == codes


@pytest.mark.parametrize(
    ("given", "kept"),
    [(110.171875, 110.171875), (110, 110.0), ("110.5", 110.5), (-0.25, -0.25), ("", None)],
)
def test_prices_are_the_numbers_that_were_given(given: float | str, kept: float | None) -> None:
    assert value("price", price=given) == kept


def test_there_is_one_zero() -> None:
    assert str(value("price", price=-0.0)) == "0.0"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("NaN", "is not a number"),
        ("inf", "is not a number"),
        ("1,5", "is not a number"),
        (True, "is not a number"),
        ([1], "is not a number"),
        (1e300, "is out of range"),
        (1e-300, "is out of range"),
    ],
)
def test_what_is_no_price_rejects_the_order(
    given: str | bool | list[int] | float, why: str
) -> None:
    said = reason(ORDERS, {**ORDER, "price": given})
    assert said.startswith("price ")
    assert said.endswith(why)


@pytest.mark.parametrize(
    ("given", "kept"), [(True, True), ("true", True), ("False", False), (None, None)]
)
def test_flags_may_be_texts(given: bool | str | None, kept: bool | None) -> None:
    assert value("is_manual", manualOrderIndicator=given) is kept


@pytest.mark.parametrize("given", [0, 1, "yes", []])
def test_what_is_no_flag(given: object) -> None:
    said = reason(ORDERS, {**ORDER, "manualOrderIndicator": given})
    assert said.endswith("is neither true nor false")


def test_nanoseconds_are_exact_beside_the_microseconds() -> None:
    assert value("time_ns", dateTime=str(TIME_NS)) == TIME_NS
    event_time = value("event_time", dateTime=TIME_NS)
    assert isinstance(event_time, datetime)
    assert event_time.microsecond == 354606


@pytest.mark.parametrize(
    "given",
    [0, -1, 1747328540, 1747328540354606, 1.747e18, "soon", True, 2**63, 2**64 - 1, [TIME_NS]],
)
def test_other_times_reject_the_order(given: object) -> None:
    assert reason(ORDERS, {**ORDER, "dateTime": given}).startswith("dateTime ")


@pytest.mark.parametrize("field", ["orderId", "dateTime", "instrumentId", "side"])
@pytest.mark.parametrize("missing", [None, "", "  ", "\u00a0", "left out"])
def test_a_required_field_that_is_missing_is_named(field: str, missing: str | None) -> None:
    row = {**ORDER, field: missing}
    if missing == "left out":
        del row[field]
    assert reason(ORDERS, row) == f"{field} is missing"


def test_an_id_of_blanks_is_no_id() -> None:
    assert value("parent_order_id", parentOrderId=" ") is None
    assert value("parent_order_id", parentOrderId=" a ") == " a "


@pytest.mark.parametrize("row", [None, 5, "order", [ORDER], True])
def test_a_row_that_is_no_object(row: object) -> None:
    assert reason(ORDERS, row) == "is no object"


def test_keys_are_of_plain_characters_and_not_too_long() -> None:
    assert "has a control character" in reason(ORDERS, {**ORDER, "orderId": "a\nb"})
    assert "record key of more than" in reason(ORDERS, {**ORDER, "orderId": "é" * 300})


def test_a_row_that_no_store_could_hold() -> None:
    parsed = read(ORDERS, ORDER, {**ORDER, "orderId": "2", "note": "x" * MAX_ROW_BYTES})
    assert parsed.frame["row"].to_list() == [1]
    assert parsed.rejected[0].row == 2
    assert "has texts of more than" in parsed.rejected[0].reason


def test_what_nobody_knows_is_kept() -> None:
    row = {**ORDER, "zeta": 1, "order_id": "a name of ours", "alpha": {"b": [True]}, "none": None}
    parsed = read(ORDERS, row)
    assert parsed.frame["extra"].to_list() == [
        '{"alpha":{"b":[true]},"order_id":"a name of ours","zeta":1}'
    ]
    assert parsed.frame["order_id"].to_list() == [ORDER["orderId"]]
    assert set(parsed.unknown_columns) == {"zeta", "order_id", "alpha", "none"}


def test_user_parameters_are_json() -> None:
    given = {"userParameterList": [{"name": "terminator_cod", "type": 2, "v_int32": 50}]}
    parsed = read(ORDERS, {**ORDER, "userParameters": given})
    assert orjson.loads(parsed.frame["user_parameters"][0]) == given
    assert parsed.unknown_columns == ()


def test_rows_count_over_all_answers_and_the_last_of_an_order_stays() -> None:
    first, second, third = ({**ORDER, "orderId": name} for name in "abc")
    document = of_rows(
        "orders",
        [first, second],
        [],
        [{**first, "price": 111.0, "dateTime": TIME_NS + 1}, 5, third],
    )
    parsed = ORDERS.read(document, {})
    assert parsed.frame.select("row", "record_key", "price").rows() == [
        (2, "b", 110.171875),
        (3, "a", 111.0),
        (5, "c", 110.171875),
    ]
    assert [(row.row, row.reason, row.duplicate) for row in parsed.rejected] == [
        (1, "duplicate of row 3, which wins", True),
        (4, "is no object", False),
    ]
    assert orjson.loads(parsed.rejected[0].text) == first


def test_an_order_of_an_instrument_that_nobody_knows() -> None:
    (row,) = read(ORDERS, ORDER, names={}).frame.to_dicts()
    assert (row["instrument"], row["instrument_id"]) == (None, None)
    (row,) = read(ORDERS, ORDER, names={INSTRUMENT_ID: "ESM5"}).frame.to_dicts()
    assert (row["instrument"], row["instrument_id"]) == ("ESM5", None)


def test_no_orders_at_all() -> None:
    assert read(ORDERS).frame.is_empty()


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b'"orders"',
        b'{"orders": null}',
        b'{"orders": {}}',
        b'{"fills": []}',
        b'{"status": "Error", "statusCode": 403, "status_message": "Forbidden"}',
        b'{"orders": [',
        b"",
    ],
)
def test_an_answer_without_its_list(body: bytes) -> None:
    good = orjson.dumps({"orders": [ORDER]})
    with pytest.raises(UnparsableFileError, match=r"orders/20250515T170230Z\.json"):
        ORDERS.read(of_bodies("orders", good, body), {})


def test_models_are_for_clients_too() -> None:
    order = Order.model_validate({**ORDER, "marketId": 1001, "news": "x"})
    assert (order.side, order.price, order.market_id) == ("buy", 110.171875, "1001")
    assert order.model_extra == {"news": "x"}
