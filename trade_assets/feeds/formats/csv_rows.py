"""Bytes of a comma-separated desk file to rows of text, and checked rows to a `ParsedFile`.

What all such formats share belongs here: which physical line is which row, what a usable header
is, which rows are rejected whatever the feed. No meaning of any column.

A line is a row: quotes have no meaning in the desk's files, and a reader that honours them
swallows every line up to the next quote.
"""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import orjson
import polars as pl

from trade_assets.datasets.records import (
    EVENT_TIME,
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
from trade_assets.market.numbers import SHOWN_CHARACTERS, shown

MAX_LINE_CHARACTERS: Final = 16_384
"""Longest row that is read: a desk's row has 100 to 200 characters, an item of DynamoDB 400 KB."""

MOST_COMPARED: Final = 100
"""Columns of a header, at most, that are compared with one that it lacks; a desk's have 7 to 50."""

NEAR: Final = 0.4
"""Likeness from which on one column may stand for another: `Settlement Price` for `PX_SETTLE`."""

_CONTROL_BYTES: Final = bytes({*range(32), 127} - {ord("\n"), ord("\r")})
_UNREADABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f]|(\ufffd)")


@dataclass(slots=True)
class Rows:
    """The rows of one file while it is being read.

    Attributes:
        text: a String column per column of the header, under the header's names, for every row
            that has the right shape; an empty field is "".
        numbers: the line each row of `text` stands on (1 is the first line of the file).
        problems: line to the first reason why the row there is rejected.
        lines: the file's lines without line ends; line 1 is `lines[0]`.
    """

    text: pl.DataFrame
    numbers: pl.Series
    problems: dict[int, str]
    lines: list[str] = field(repr=False)

    def reject_at(self, reasons: Iterable[tuple[int, str]]) -> None:
        """Reject rows by position in `text`; a row that is rejected already keeps its reason."""
        for position, reason in reasons:
            self.problems.setdefault(self.numbers[position], reason)

    def reject_where(self, mask: pl.Series, column: str, reason: str) -> None:
        """Reject the rows where `mask` is true, saying what stands in `column`."""
        if mask.any():
            texts = self.text[column]
            self.reject_at(
                (position, f"{column} {shown(texts[position])} {reason}")
                for position in mask.arg_true().to_list()
            )

    def reject_blank(self, column: str) -> None:
        """Reject the rows that have nothing in `column`, or blanks alone: they name nothing."""
        self.reject_where(self.text[column].str.strip_chars() == "", column, "is missing")


def read_rows(
    data: bytes, file_name: str, *, required: Iterable[str], type_row: str | None = None
) -> Rows:
    """Split a file into its header and rows of text.

    The first line that is not blank is the header. Rows with another number of fields, with bytes
    that are not UTF-8 or with control characters are rejected; surplus empty fields at a row's end
    are tolerated (a stray comma). Blank lines are not rows.

    Args:
        required: columns without which no row can be trusted.
        type_row: if the line after the header starts with this, it is not a row.

    Raises:
        UnparsableFileError: the file is empty, or its header is not usable.
    """
    lines = _lines(data)
    numbers = [number for number, line in enumerate(lines, 1) if line.strip()]
    if not numbers:
        raise UnparsableFileError(file_name, "the file is empty")
    header = numbers.pop(0)
    names = _header(lines[header - 1], header, file_name, required)
    if type_row and numbers and lines[numbers[0] - 1].startswith(type_row):
        del numbers[0]
    problems = {**_unreadable(data, lines, numbers), **_too_long(lines, numbers)}
    if problems:
        numbers = [number for number in numbers if number not in problems]
    text, row_numbers = _fields(lines, numbers, names, problems)
    return Rows(text, row_numbers, problems, lines)


def _lines(data: bytes) -> list[str]:
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = text.split("\n")
    return [line.rstrip("\r") for line in lines] if "\r" in text else lines


def _header(line: str, row: int, file_name: str, required: Iterable[str]) -> list[str]:
    names = [name.strip() for name in line.split(",")]
    while names and not names[-1]:
        names.pop()
    if missing := [name for name in required if name not in names]:
        strangers = [name for name in names if name not in required][:MOST_COMPARED]
        reason = f"the header has no column {' and no '.join(_missed(missing, strangers))}"
        raise UnparsableFileError(file_name, reason, (row,))
    for position, name in enumerate(names):
        if not name:
            reason = f"column {position + 1} of the header has no name"
            raise UnparsableFileError(file_name, reason, (row,))
        if name in names[:position]:
            raise UnparsableFileError(file_name, f"the header has column {name!r} twice", (row,))
    if _UNREADABLE.search(line) or len(line) > MAX_LINE_CHARACTERS:
        raise UnparsableFileError(file_name, "the header is not a line of plain text", (row,))
    return names


def _missed(missing: Iterable[str], strangers: Iterable[str]) -> Iterator[str]:
    """Columns that a header lacks, each with that of `strangers` whose name is nearest to it."""
    names = {name[:SHOWN_CHARACTERS].casefold(): name for name in strangers}
    for column in missing:
        near = difflib.get_close_matches(column.casefold(), names, n=1, cutoff=NEAR)
        yield f"{column!r} (nearest: {shown(names[near[0]])})" if near else f"{column!r}"


def _unreadable(data: bytes, lines: list[str], numbers: list[int]) -> dict[int, str]:
    """Rows with bytes that are not UTF-8, or with control characters."""
    # Most files have neither, which isascii, translate and count tell at memory speed.
    if (
        data.isascii()
        and len(data.translate(None, _CONTROL_BYTES)) == len(data)
        and data.count(b"\r") == data.count(b"\r\n")
    ):
        return {}
    found = {}
    for number in numbers:
        match = _UNREADABLE.search(lines[number - 1])
        if match:
            found[number] = "is not UTF-8" if match.group(1) else "has a control character"
    return found


def _too_long(lines: list[str], numbers: list[int]) -> dict[int, str]:
    if max(map(len, lines)) <= MAX_LINE_CHARACTERS:
        return {}
    return {
        number: f"is longer than {MAX_LINE_CHARACTERS} characters"
        for number in numbers
        if len(lines[number - 1]) > MAX_LINE_CHARACTERS
    }


def _fields(
    lines: list[str], numbers: list[int], names: list[str], problems: dict[int, str]
) -> tuple[pl.DataFrame, pl.Series]:
    """Fields and line numbers of the rows that fit the header; the others go to `problems`."""
    count = len(names)
    row_numbers = pl.Series(ROW, numbers, dtype=pl.Int64)
    series = pl.Series("line", [lines[number - 1] for number in numbers], dtype=pl.String)
    # splitn leaves what follows the last column, commas included, in one field more.
    split = series.str.splitn(",", count + 1).struct.unnest()
    surplus = split.drop_in_place(split.columns[-1])
    last = split.to_series(count - 1)
    split.columns = names
    if not last.has_nulls() and surplus.null_count() == len(numbers):
        return split, row_numbers
    wrong = last.is_null() | (surplus.str.strip_chars(",").fill_null("") != "")
    for number in row_numbers.filter(wrong).to_list():
        fields = lines[number - 1].count(",") + 1
        problems[number] = f"has {fields} fields where the header has {count}"
    return split.filter(~wrong), row_numbers.filter(~wrong)


def finish(
    rows: Rows,
    *,
    record_keys: pl.Series,
    event_times: pl.Series,
    trading_dates: pl.Series,
    instruments: pl.DataFrame,
    columns: Iterable[pl.Series],
    known: Collection[str],
) -> ParsedFile:
    """The parsed file: the good rows as the feed's columns, and every row that was rejected.

    Of rows with the same record key and event time the last one stays. All series are aligned with
    `rows.text`.

    Args:
        rows: the rows read, with the problems found so far.
        instruments: what the rows' symbols stand for (`INSTRUMENT_SCHEMA`).
        columns: the feed's own columns in the order of its schema.
        known: the file's columns that these cover; the others go to `extra`.
    """
    _check_keys(rows, record_keys)
    unknown = tuple(name for name in rows.text.columns if name not in known)
    frame = pl.DataFrame(
        [
            record_keys.alias(RECORD_KEY),
            event_times.alias(EVENT_TIME),
            rows.numbers,
            trading_dates.alias(TRADING_DATE),
            *instruments.get_columns(),
            *columns,
            extra_column(rows.text, unknown),
        ]
    )
    if rows.problems:
        rejected = pl.Series(list(rows.problems), dtype=pl.Int64)
        frame = frame.filter(~rows.numbers.is_in(rejected.implode()))
    frame, duplicates = last_of_each(frame)
    return ParsedFile(frame, _rejected(rows, duplicates), unknown)


def _check_keys(rows: Rows, keys: pl.Series) -> None:
    blank = keys.str.strip_chars() == ""
    rows.reject_at((at, "has no record key") for at in blank.arg_true())
    too_long = keys.str.len_bytes() > MAX_KEY_BYTES
    rows.reject_at(
        (at, f"has a record key of more than {MAX_KEY_BYTES} bytes") for at in too_long.arg_true()
    )


def extra_column(text: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    """`EXTRA` of the columns that the feed does not know."""
    if not names:
        return nulls(EXTRA, pl.String(), text.height)
    # Not select(), to which a column named `*` would be all columns.
    jsons = [extra_json(texts) for texts in text[list(names)].iter_rows(named=True)]
    return pl.Series(EXTRA, jsons, dtype=pl.String)


def extra_json(texts: Mapping[str, str]) -> str | None:
    """`EXTRA` of texts by the name of their column; null if all of them are empty."""
    filled = {name: text for name, text in texts.items() if text}
    return orjson.dumps(filled).decode() if filled else None


def with_leftovers(parsed: ParsedFile, leftovers: Mapping[int, Mapping[str, str]]) -> ParsedFile:
    """The file with what no column holds in `extra` too: of rows by their number, the texts by the
    name of their column."""
    if not leftovers:
        return parsed
    extras = [
        extra_json({**orjson.loads(extra or "{}"), **leftovers.get(number, {})})
        for number, extra in parsed.frame.select(ROW, EXTRA).iter_rows()
    ]
    extra = pl.Series(EXTRA, extras, dtype=pl.String)
    return replace(parsed, frame=parsed.frame.with_columns(extra))


def nulls(name: str, dtype: pl.DataType, length: int) -> pl.Series:
    """A column of `length` nulls."""
    return pl.Series(name, [None], dtype=dtype).new_from_index(0, length)


def last_of_each(frame: pl.DataFrame, number: str = ROW) -> tuple[pl.DataFrame, dict[int, str]]:
    """Of records with the same record key and event time the last one; and why the others are not
    kept, by `number`: a column that tells all of them apart."""
    identity = [RECORD_KEY, EVENT_TIME]
    if frame[RECORD_KEY].n_unique() == frame.height:
        return frame, {}
    last = frame.unique(identity, keep="last", maintain_order=True)
    if last.height == frame.height:
        return last, {}
    winners = frame.join(last.select(*identity, winner=ROW, kept=number), on=identity, how="left")
    return last, {
        lost: f"duplicate of row {winner}, which wins"
        for lost, winner, kept in winners.select(number, "winner", "kept").iter_rows()
        if lost != kept
    }


def _rejected(rows: Rows, duplicates: dict[int, str]) -> tuple[RejectedRow, ...]:
    reasons = {**rows.problems, **duplicates}
    return tuple(
        RejectedRow(row, reason, rows.lines[row - 1][:MAX_REJECTED_TEXT], row in duplicates)
        for row, reason in sorted(reasons.items())
    )
