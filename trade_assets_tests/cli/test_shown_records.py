"""Records as JSON, and how single values look."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.cli.shown_records import json_array, json_text, typed_record
from trade_assets.cli.words import age_text, both_zones, number_text
from trade_assets.feeds.formats.spot_risk import SPOT_RISK

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(bid=FINITE, position=st.integers(-(2**63), 2**63 - 1), key=st.text(max_size=20))
def test_json_repeats_every_number_digit_by_digit(bid: float, position: int, key: str) -> None:
    stored = {"record_key": key, "bid_price": repr(bid), "position_quantity": str(position)}
    text = json_text(typed_record(SPOT_RISK, stored))
    read = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert read["bid_price"] == Decimal(repr(bid))
    assert json.loads(text)["bid_price"] == bid
    assert read["position_quantity"] == position
    assert read["record_key"] == key
    assert read["ask_price"] is None


def test_damaged_numbers_stay_texts_and_unknown_fields_stay() -> None:
    record = typed_record(SPOT_RISK, {"bid_price": "NaN", "ask_price": "a lot", "more": "x"})
    assert json.loads(json_text(record)) == {
        **dict.fromkeys(SPOT_RISK.record_schema),
        "bid_price": "NaN",
        "ask_price": "a lot",
        "more": "x",
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_array_is_json_with_a_record_a_line(count: int) -> None:
    records = [typed_record(SPOT_RISK, {"record_key": str(number)}) for number in range(count)]
    text = "".join(json_array(records, ["record_key"]))
    assert json.loads(text) == [{"record_key": str(number)} for number in range(count)]
    assert text.count("{") == len([line for line in text.splitlines() if line.startswith("{")])


@given(value=FINITE)
def test_number_in_a_table_reads_back_as_the_number(value: float) -> None:
    assert float(number_text(Decimal(repr(value)))) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-0.3, "0.0 s"),
        (-75, "-1m15s"),
        (0.84, "0.8 s"),
        (42.9, "42 s"),
        (185, "3m05s"),
        (2 * 3600 + 13 * 60 + 59, "2h13m"),
        (5 * 86400 + 4 * 3600, "5d04h"),
    ],
)
def test_ages(seconds: float | None, text: str) -> None:
    assert age_text(seconds) == text


def test_both_zones_name_the_date_where_it_differs() -> None:
    assert both_zones(datetime(2025, 7, 17, 14, 3, 22, 120000, UTC)) == (
        "2025-07-17 09:03:22.12 CDT · 14:03:22.12 UTC"
    )
    assert both_zones(datetime(2025, 1, 17, 2, tzinfo=UTC)) == (
        "2025-01-16 20:00:00 CST · 2025-01-17 02:00:00 UTC"
    )
