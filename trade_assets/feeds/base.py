"""What every feed format promises: the types that parsers return and the registry holds.

No format belongs here, and nothing that reads or writes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

RECORD_KEY: Final = "record_key"
EVENT_TIME: Final = "event_time"
ROW: Final = "row"
EXTRA: Final = "extra"
SOURCE: Final = "source"
FEED: Final = "feed"
FILE_KEY: Final = "file_key"

EVENT_TIME_TYPE: Final = pl.Datetime("us", "UTC")

IDENTITY_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    RECORD_KEY: pl.String(),
    EVENT_TIME: EVENT_TIME_TYPE,
    ROW: pl.Int64(),
}
"""Columns every parser fills: what the row is about, when it was true (UTC), and the line of the
file it stood on (1 is the header)."""

RECORD_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    SOURCE: pl.String(),
    FEED: pl.String(),
    FILE_KEY: pl.String(),
    **IDENTITY_SCHEMA,
}
"""Columns every stored record begins with, whatever its feed."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is not stored, and why. `row` is its line in the file (1 is the header)."""

    row: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a parser makes of one file: every data row is in `frame` or in `rejected`.

    Attributes:
        frame: `IDENTITY_SCHEMA` followed by the feed's own schema and `extra`, rows in file order;
            (record_key, event_time) is unique in it.
        rejected: the other rows, in file order.
    """

    frame: pl.DataFrame
    rejected: tuple[RejectedRow, ...] = ()

    @property
    def rows_in(self) -> int:
        """Data rows of the file: all non-blank lines but the header (and a type row)."""
        return self.frame.height + len(self.rejected)


Parser = Callable[[bytes, str], ParsedFile]
"""`parse(data, file_name)`; raises `UnparsableFileError` where no row can be trusted."""


@dataclass(frozen=True)
class Feed:
    """All that the platform knows about one feed. Adding a feed is one of these.

    Attributes:
        source: system the file comes from, first part of its S3 key.
        name: feed name, second part of its S3 key.
        title: what it is, for people.
        file_pattern: matches the whole file name.
        parse: bytes and file name to a typed frame.
        schema: the feed's own columns and their types, without the identity columns.
        record_key_is: what a record key is, for people.
        event_time_is: where the event time comes from, for people.
        cadence_seconds: how often a file is expected while the desk is open.
        freshness_seconds: after this long without a file the feed is stale.
        rewritten: the same file name is written again with other content; then the version of
            the latest hour, and in it the newest version of the key, wins.
        quote_columns: (bid, ask) columns to check for crossed or negative quotes.
    """

    source: str
    name: str
    title: str
    file_pattern: re.Pattern[str]
    parse: Parser
    schema: Mapping[str, pl.DataType]
    record_key_is: str
    event_time_is: str
    cadence_seconds: float
    freshness_seconds: float
    rewritten: bool = False
    quote_columns: tuple[str, str] | None = None
    kinds: frozenset[str] = field(default=frozenset({"csv"}))

    @property
    def path(self) -> str:
        """`<source>/<name>`: how people and settings name the feed."""
        return f"{self.source}/{self.name}"

    @property
    def frame_schema(self) -> dict[str, pl.DataType]:
        """Schema of `ParsedFile.frame`."""
        return {**IDENTITY_SCHEMA, **self.schema, EXTRA: pl.String()}

    @property
    def record_schema(self) -> dict[str, pl.DataType]:
        """Schema of a frame that is ready to be stored."""
        return {**RECORD_SCHEMA, **self.schema, EXTRA: pl.String()}


def to_records(feed: Feed, parsed: ParsedFile, file_key: str) -> pl.DataFrame:
    """The stored records of a parsed file: `feed.record_schema`, in file order."""
    return parsed.frame.select(
        pl.lit(feed.source).alias(SOURCE),
        pl.lit(feed.name).alias(FEED),
        pl.lit(file_key).alias(FILE_KEY),
        pl.all(),
    )
