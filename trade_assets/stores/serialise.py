"""Records as text: the two wire forms of a frame, made column by column instead of row by row.

* `dynamodb_items`: one DynamoDB-JSON item a row, `{"bid_price":{"N":"110.5"},…}`
* `redis_fields`: one JSON array of strings a row, `["bid_price","110.5",…]`, in HSET's order

In both a null leaves no trace (missing is null, never a sentinel), a time is ISO 8601 with
microseconds and `Z`, and a float is its shortest text that reads back as the same float.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import (
    EVENT_TIME,
    EVENT_TIME_TYPE,
    FEED,
    FILE_KEY,
    RECORD_KEY,
    SOURCE,
)
from trade_assets.errors import StoreRejectedError
from trade_assets.stores.expiry import EXPIRES_AT

ISO_MICROSECONDS: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
"""chrono's format of the times in keys, items and fields."""

_Part = Callable[[str, str, pl.DataType], pl.Expr]

_NEEDS_ESCAPE: Final = r'["\\\x00-\x1f\x7f]'


def iso_text(moment: datetime) -> str:
    """An aware time as keys, items and fields hold it."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def iso_time(column: str) -> pl.Expr:
    """A UTC datetime column as the text that keys and guards compare."""
    return pl.col(column).dt.to_string(ISO_MICROSECONDS)


def with_keys(records: pl.DataFrame, expires_at: pl.Expr | None = None) -> pl.DataFrame:
    """Records with the history table's keys `pk` and `sk` in front, and `EXPIRES_AT` behind."""
    keys = [
        pl.concat_str([SOURCE, FEED, RECORD_KEY], separator="#").alias("pk"),
        pl.concat_str(
            [iso_time(EVENT_TIME), pl.col(FILE_KEY).str.extract(r"([^/]+)$")], separator="#"
        ).alias("sk"),
    ]
    framed = records.select(*keys, pl.all())
    return framed if expires_at is None else framed.with_columns(expires_at.alias(EXPIRES_AT))


def dynamodb_items(frame: pl.DataFrame) -> list[str]:
    """One DynamoDB-JSON item a row. The first column must hold no null."""
    return _joined(frame, _item_part, "{", "}")


def redis_fields(frame: pl.DataFrame) -> list[str]:
    """One JSON array of field names and values a row. The first column must hold no null."""
    return _joined(frame, _field_part, "[", "]")


def texts_of(record: Mapping[str, Any]) -> dict[str, str]:
    """A record of plain values, as the history gives it back, as texts by column."""
    return {name: str(value) for name, value in record.items()}


def typed_frame(dataset: Dataset, rows: Sequence[Mapping[str, str]]) -> pl.DataFrame:
    """Rows of texts, as a store gives them back, as a frame of `dataset.record_schema`.

    Raises:
        StoreRejectedError: a text is not of its column's type, so that the store is damaged.
    """
    texts = pl.DataFrame(
        [{name: row.get(name) for name in dataset.record_schema} for row in rows],
        schema=dict.fromkeys(dataset.record_schema, pl.String()),
    )
    try:
        return texts.select(_typed(name, dtype) for name, dtype in dataset.record_schema.items())
    except pl.exceptions.PolarsError as error:
        raise StoreRejectedError(
            f"{dataset.path}: a stored record is damaged, materialise its hour again: {error}"
        ) from error


def _typed(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == EVENT_TIME_TYPE:
        times = column.str.to_datetime(ISO_MICROSECONDS, time_unit="us")
        return times.dt.replace_time_zone("UTC")
    if dtype == pl.Date:
        return column.str.to_date()
    if dtype == pl.Boolean:
        return column.str.to_lowercase() == "true"
    return column.cast(dtype)


def _joined(frame: pl.DataFrame, part: _Part, opening: str, closing: str) -> list[str]:
    texts = _as_texts(frame)
    parts = [
        part("" if index == 0 else ",", name, frame.schema[name])
        for index, name in enumerate(frame.columns)
    ]
    return (
        texts.select(pl.concat_str([pl.lit(opening), *parts, pl.lit(closing)], ignore_nulls=True))
        .to_series()
        .to_list()
    )


def _item_part(comma: str, name: str, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Boolean:
        return pl.format(f'{comma}"{name}":{{{{"BOOL":{{}}}}}}', pl.col(name))
    kind = "N" if dtype.is_numeric() else "S"
    return _around(f'{comma}"{name}":{{"{kind}":"', name, '"}')


def _field_part(comma: str, name: str, _: pl.DataType) -> pl.Expr:
    return _around(f'{comma}"{name}","', name, '"')


def _around(before: str, name: str, after: str) -> pl.Expr:
    return pl.concat_str([pl.lit(before), pl.col(name), pl.lit(after)])


def _as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as JSON-safe text."""
    texts = frame.select(
        iso_time(name).alias(name) if dtype.is_temporal() and dtype != pl.Date
        else pl.col(name).cast(pl.String)
        for name, dtype in frame.schema.items()
    )  # fmt: skip
    strings = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return _escaped(texts, strings)


def _escaped(texts: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Escape the few columns that need it; looking is cheaper than escaping."""
    if not columns:
        return texts
    found = texts.select(pl.col(columns).str.contains(_NEEDS_ESCAPE).any())
    for name in columns:
        if found.item(0, name):
            texts = texts.with_columns(
                pl.Series(
                    name,
                    [_json_text(value) for value in texts.get_column(name).to_list()],
                    dtype=pl.String,
                )
            )
    return texts


def _json_text(value: str | None) -> str | None:
    return None if value is None else orjson.dumps(value).decode()[1:-1]
