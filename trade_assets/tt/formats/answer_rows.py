"""Rows of a document's answers to models, and models to a `ParsedFile`: what all kinds share.

Every row is accounted for under its number, counted over all answers from 1. Which list of an
answer holds the rows, what a row's key and time are, is the kind's business.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import orjson
import polars as pl
from pydantic import ValidationError

from trade_assets.datasets.records import (
    EVENT_TIME,
    EVENT_TIME_TYPE,
    EXTRA,
    MAX_KEY_BYTES,
    MAX_REJECTED_TEXT,
    RECORD_KEY,
    ROW,
    TRADING_DATE,
    ParsedFile,
    RejectedRow,
)
from trade_assets.errors import UnparsableFileError
from trade_assets.market.identify import identify
from trade_assets.market.numbers import shown
from trade_assets.market.symbols import SymbolNotation
from trade_assets.market.trading_days import CENTRAL, EPOCH, trading_dates
from trade_assets.tt.formats.json_values import MISSING
from trade_assets.tt.formats.row_models import TtRow, schema_of
from trade_assets.tt.formats.snapshot import AnswerInfo, SnapshotDocument

INSTRUMENT: Final = "instrument"
"""Column of TT's name of the instrument."""

MAX_ROW_BYTES: Final = 100_000
"""Longest texts of a row together: an item of DynamoDB holds 400 KB."""

Row = TypeVar("Row", bound=TtRow)


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as the JSON has it: its number, and the answer in which it stands."""

    number: int
    answer: AnswerInfo
    value: Any


@dataclass(slots=True)
class Rows(Generic[Row]):
    """The rows of a document while it is being read; `raw` and `items` are aligned."""

    raw: list[RawRow] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)

    def reject(self, raw: RawRow, reason: str, *, duplicate: bool = False) -> None:
        """Account for a row that is not stored."""
        text = orjson.dumps(raw.value).decode()[:MAX_REJECTED_TEXT]
        self.rejected.append(RejectedRow(raw.number, reason, text, duplicate))

    def drop(self, reason_of: Callable[[int], str | None], *, duplicate: bool = False) -> None:
        """Reject the rows for whose position `reason_of` gives a reason."""
        reasons = [reason_of(at) for at in range(len(self.items))]
        if not any(reasons):
            return
        for raw, reason in zip(self.raw, reasons, strict=True):
            if reason:
                self.reject(raw, reason, duplicate=duplicate)
        self.raw = [raw for raw, reason in zip(self.raw, reasons, strict=True) if not reason]
        self.items = [item for item, reason in zip(self.items, reasons, strict=True) if not reason]


def answer_rows(body: bytes, lists: Sequence[str], name: str) -> list[Any]:
    """The rows of an answer: the list that it has under one of the names in `lists`.

    Raises:
        UnparsableFileError: it has none, or is no JSON; `name` says whose answer it is.
    """
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnparsableFileError(name, f"an answer is not JSON: {error}") from None
    if type(payload) is not dict:
        raise UnparsableFileError(name, "an answer is no object")
    for key in lists:
        if type(payload.get(key)) is list:
            return payload[key]  # type: ignore[no-any-return]
    raise UnparsableFileError(name, f"an answer has no list {' or '.join(map(repr, lists))}")


def raw_rows(document: SnapshotDocument, lists: Sequence[str]) -> Iterator[RawRow]:
    """All rows of a document, in order.

    Raises:
        UnparsableFileError: as `answer_rows`.
    """
    number = 0
    for info, body in zip(document.manifest.answers, document.bodies, strict=True):
        for value in answer_rows(body, lists, document.name):
            number += 1
            yield RawRow(number, info, value)


def read_rows(document: SnapshotDocument, lists: Sequence[str], model: type[Row]) -> Rows[Row]:
    """All rows of a document as models; those that are none are rejected.

    Raises:
        UnparsableFileError: as `answer_rows`.
    """
    rows = Rows[Row]()
    for raw in raw_rows(document, lists):
        try:
            item = model.model_validate(raw.value)
        except ValidationError as error:
            rows.reject(raw, _reason(error))
        else:
            rows.raw.append(raw)
            rows.items.append(item)
    return rows


def _reason(error: ValidationError) -> str:
    """What is wrong with a row, of its first field with a problem."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:
        return "is no object"
    column = str(first["loc"][0])
    if first["type"] == "missing" or first["msg"] == MISSING:
        return f"{column} {MISSING}"
    value = first["input"]
    text = value if type(value) is str else orjson.dumps(value).decode()
    return f"{column} {shown(text)} {first['msg']}"


def finish(
    rows: Rows[Row],
    model: type[Row],
    *,
    key: Callable[[Row], str],
    time_us: Callable[[Row, AnswerInfo], int],
    name: Callable[[Row], str | None],
    slot: datetime,
) -> ParsedFile:
    """The parsed file: rows as the model's columns behind the common ones.

    Of rows with the same record key the last one stays.

    Args:
        key: a row's record key.
        time_us: a row's event time, microseconds since the epoch, from it and its answer.
        name: TT's name of a row's instrument; None: nobody knows it.
        slot: near which the names are in use.
    """
    _check_keys(rows, key)
    micros = [time_us(item, raw.answer) for item, raw in zip(rows.items, rows.raw, strict=True)]
    times = pl.Series(EVENT_TIME, micros, dtype=pl.Int64).cast(EVENT_TIME_TYPE)
    symbols = pl.Series(INSTRUMENT, [name(item) for item in rows.items], dtype=pl.String)
    frame = pl.DataFrame(
        [
            pl.Series(RECORD_KEY, [key(item) for item in rows.items], dtype=pl.String),
            times,
            pl.Series(ROW, [raw.number for raw in rows.raw], dtype=pl.Int64),
            _trading_dates(times),
            *identify(symbols, SymbolNotation.CME, slot.date()).get_columns(),
            symbols,
            *_columns(rows.items, model),
            _extra(rows.items),
        ]
    )
    frame = _within_size(frame, rows)
    unknown = dict.fromkeys(name for item in rows.items for name in item.model_extra or ())
    rejected = sorted(rows.rejected, key=lambda row: row.row)
    return ParsedFile(frame, tuple(rejected), tuple(unknown))


def own_schema(model: type[TtRow]) -> dict[str, pl.DataType]:
    """A kind's own columns: TT's name of the instrument, and the model's fields."""
    return {INSTRUMENT: pl.String(), **schema_of(model)}


def micros_of(moment: datetime) -> int:
    """Microseconds since the epoch of an aware time."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def _check_keys(rows: Rows[Row], key: Callable[[Row], str]) -> None:
    keys = [key(item) for item in rows.items]
    last = {text: at for at, text in enumerate(keys)}
    numbers = [raw.number for raw in rows.raw]

    def duplicate(at: int) -> str | None:
        winner = last[keys[at]]
        return None if winner == at else f"duplicate of row {numbers[winner]}, which wins"

    def too_long(at: int) -> str | None:
        if len(keys[at].encode()) <= MAX_KEY_BYTES:
            return None
        return f"has a record key of more than {MAX_KEY_BYTES} bytes"

    if len(last) < len(keys):
        rows.drop(duplicate, duplicate=True)
        keys = [key(item) for item in rows.items]
    rows.drop(too_long)


def _trading_dates(times: pl.Series) -> pl.Series:
    local = times.dt.convert_time_zone(CENTRAL.key).dt.replace_time_zone(None)
    return trading_dates(local).alias(TRADING_DATE)


def _columns(items: Sequence[TtRow], model: type[TtRow]) -> Iterator[pl.Series]:
    for name, dtype in schema_of(model).items():
        if name != INSTRUMENT:
            read = attrgetter(name)
            yield pl.Series(name, [read(item) for item in items], dtype=dtype)


def _extra(items: Sequence[TtRow]) -> pl.Series:
    return pl.Series(EXTRA, [_extra_json(item.model_extra) for item in items], dtype=pl.String)


def _extra_json(extra: Mapping[str, Any] | None) -> str | None:
    """What no column holds, as JSON; its members sorted, since their order means nothing."""
    filled = {name: value for name, value in (extra or {}).items() if value is not None}
    return orjson.dumps(filled, option=orjson.OPT_SORT_KEYS).decode() if filled else None


def _within_size(frame: pl.DataFrame, rows: Rows[Row]) -> pl.DataFrame:
    texts = pl.sum_horizontal(pl.col(pl.String).str.len_bytes())
    too_long = frame.select(texts).to_series() > MAX_ROW_BYTES
    if not too_long.any():
        return frame
    for at in too_long.arg_true():
        rows.reject(rows.raw[at], f"has texts of more than {MAX_ROW_BYTES} bytes")
    return frame.filter(~too_long)
