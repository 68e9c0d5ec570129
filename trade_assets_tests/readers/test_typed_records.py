"""Records as JSON."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.readers.typed_records import json_array, json_text, typed_record

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
