"""Both wire forms of records, and the way back, by property."""

import json
import math
import re
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.errors import StoreRejectedError
from trade_assets.stores.serialise import (
    dynamodb_items,
    iso_text,
    redis_fields,
    typed_frame,
    with_keys,
)
from trade_assets_tests.stores.samples import records


def _never(_: bytes, __: str) -> ParsedFile:
    raise AssertionError("these records come from no file")


EVERYTHING = Feed(
    source="test",
    name="everything",
    title="A column of every type",
    file_pattern=re.compile(".*"),
    parse=_never,
    schema={
        "price": pl.Float64(),
        "count": pl.Int64(),
        "label": pl.String(),
        "firm": pl.Boolean(),
        "day": pl.Date(),
        "seen_at": pl.Datetime("us", "UTC"),
    },
    columns={},
    record_key_is="anything",
    event_time_is="anything",
    cadence_seconds=1,
    freshness_seconds=1,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['a"b', "back\\slash", "nul\0", "tab\t", "\x7f", "héλ😀", "{}", '","x":{"N":"1"}', ""]
)
PRICES = st.floats(-1e124, 1e124, allow_nan=False, allow_subnormal=False).map(
    lambda value: value if abs(value) >= 1e-128 else 0.0
) | st.sampled_from([110.5156250, 0.007, 1e-128, -9.99e124, 0.1 + 0.2, 1628.67, 1e22, 1e16])
MOMENTS = st.datetimes(
    datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)
)  # fmt: skip
VALUES = st.fixed_dictionaries(
    {
        "price": st.none() | PRICES,
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "label": st.none() | TEXTS,
        "firm": st.none() | st.booleans(),
        "day": st.none() | st.dates(date(1990, 1, 1), date(2100, 1, 1)),
        "seen_at": st.none() | MOMENTS,
        "extra": st.none() | TEXTS,
        "event_time": MOMENTS,
    }
)


def any_records(key_prefix: str = "") -> st.SearchStrategy[pl.DataFrame]:
    """Records of `EVERYTHING` with distinct record keys."""
    return st.lists(VALUES, min_size=1, max_size=12).map(
        lambda rows: records(
            EVERYTHING,
            (
                {"record_key": f'{key_prefix}k"{at}', "file_key": f"feeds/f/dt=/{at % 2}.csv", **r}
                for at, r in enumerate(rows)
            ),
        )
    )


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


@settings(max_examples=60)
@given(any_records())
def test_redis_fields_hold_every_value_that_is_not_null_and_read_back(frame: pl.DataFrame) -> None:
    rows = [json.loads(text) for text in redis_fields(frame)]
    hashes = [dict(zip(row[::2], row[1::2], strict=True)) for row in rows]
    for fields, record in zip(hashes, frame.to_dicts(), strict=True):
        expected = {name: value for name, value in record.items() if value is not None}
        assert fields.keys() == expected.keys()
        assert all(
            float(fields[name]) == value
            if isinstance(value, float)
            else fields[name] == _text(value)
            for name, value in expected.items()
        )
    assert_frame_equal(typed_frame(EVERYTHING, hashes), frame)


@settings(max_examples=60)
@given(any_records())
def test_items_are_json_with_the_types_of_the_columns(frame: pl.DataFrame) -> None:
    kinds = {pl.Float64: "N", pl.Int64: "N", pl.Boolean: "BOOL"}
    for text, record in zip(dynamodb_items(frame), frame.to_dicts(), strict=True):
        item = json.loads(text)
        for name, value in record.items():
            if value is None:
                assert name not in item
                continue
            ((kind, content),) = item[name].items()
            assert kind == kinds.get(type(frame.schema[name]), "S")
            if kind == "BOOL":
                assert content is value
            elif isinstance(value, float):
                assert math.isclose(float(content), value, rel_tol=0, abs_tol=0)
            else:
                assert content == _text(value)


def test_keys_are_those_of_the_contract() -> None:
    moment = datetime(2025, 7, 17, 19, 33, 31, 5, tzinfo=UTC)
    row = {"record_key": "K", "event_time": moment, "file_key": "feeds/a/b/dt=1/hh=2/name.csv"}
    keyed = with_keys(records(EVERYTHING, [row]), pl.lit(7))
    assert keyed.select("pk", "sk").row(0) == (
        "test#everything#K",
        "2025-07-17T19:33:31.000005Z#name.csv",
    )
    assert keyed["expires_at"].item() == 7
    assert "expires_at" not in with_keys(records(EVERYTHING, [row])).columns


def test_no_records_are_a_frame_of_the_schema() -> None:
    assert typed_frame(EVERYTHING, []).schema == EVERYTHING.record_schema


@pytest.mark.parametrize(
    ("column", "text"), [("price", "much"), ("count", "1.5"), ("event_time", "now"), ("day", "x")]
)
def test_a_text_of_another_type_is_a_damaged_store(column: str, text: str) -> None:
    with pytest.raises(StoreRejectedError, match="damaged"):
        typed_frame(EVERYTHING, [{column: text}])


@pytest.mark.parametrize("text", ["1E-128", "1E+22", "-1.5E+5", "0.00000001", "110.5156250"])
def test_numbers_read_back_in_any_notation_of_dynamodb(text: str) -> None:
    assert typed_frame(EVERYTHING, [{"price": text}])["price"].item() == float(text)
