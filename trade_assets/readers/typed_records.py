"""Stored records as whoever reads them wants them: typed values, and JSON. No Polars, no store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from trade_assets.datasets.described import ColumnKind, Described

Value = str | bool | Decimal | None
Record = dict[str, Value]


def typed_record(feed: Described, texts: Mapping[str, Any]) -> Record:
    """A stored record with every column of `feed.column_kinds`, null where it is missing.

    Numbers are Decimals, exactly as stored. What is not of its column's type stays a text; fields
    that the schema does not know come last.
    """
    record: Record = {
        name: _typed(kind, texts.get(name)) for name, kind in feed.column_kinds.items()
    }
    return record | {name: value for name, value in texts.items() if name not in record}


def json_text(record: Record, columns: Sequence[str] | None = None) -> str:
    """A record as one JSON object, its numbers digit by digit as stored."""
    shown = record if columns is None else {name: record.get(name) for name in columns}
    return orjson.dumps(shown, default=_exact).decode()


def json_array(records: Iterable[Record], columns: Sequence[str] | None = None) -> Iterator[str]:
    """Lines of one JSON array, a record a line; made as the records come."""
    before = "["
    for record in records:
        yield f"{before}\n{json_text(record, columns)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _typed(kind: ColumnKind, value: Any) -> Value:
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    if kind is ColumnKind.NUMBER:
        try:
            number = Decimal(text)
        except InvalidOperation:
            return text
        return number if number.is_finite() else text
    if kind is ColumnKind.FLAG and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def _exact(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(f"{type(value).__name__} has no place in a record")
