"""Records as the reading commands handle them: typed values, chosen columns, JSON. No tables."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
import typer

from trade_assets.cli.shown_values import CUT
from trade_assets.datasets.column_names import EVENT_TIME, RECORD_KEY
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


def chosen_columns(feed: Described, text: str | None) -> list[str] | None:
    """Columns of a comma-separated option, with the record's key and time in front; None if all.

    Raises:
        typer.BadParameter: naming a column that the feed lacks, and those that it has.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in feed.column_kinds]
    if unknown or not names:
        what = f"{feed.path} has no column {', '.join(unknown)}" if unknown else "no column named"
        raise typer.BadParameter(f"{what}; its columns are {', '.join(feed.column_kinds)}")
    return list(dict.fromkeys([RECORD_KEY, EVENT_TIME, *names]))


def uncut(texts: Iterable[str], record_keys: Callable[[], Sequence[str]]) -> list[str]:
    """Record keys as they are asked for, where tables may have cut them: of a text that ends with
    `…` the one key that begins so, and the text itself where none does.

    Raises:
        typer.BadParameter: several begin so.
    """
    keys: list[str] = []
    for text in texts:
        begin = text.removesuffix(CUT)
        found = [key for key in record_keys() if key.startswith(begin)] if begin != text else []
        if len(found) > 1:
            raise typer.BadParameter(f"{text!r} may be any of {', '.join(found)}")
        keys.append(found[0] if found else text)
    return keys


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
