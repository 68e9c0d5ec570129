"""What every feed format promises: the types that parsers return and the registry holds.

Also what feeds and derived data sets have in common: a `Dataset` is what the stores hold. No format
belongs here, and nothing that reads or writes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from trade_assets.market.identify import INSTRUMENT_SCHEMA

RECORD_KEY: Final = "record_key"
EVENT_TIME: Final = "event_time"
ROW: Final = "row"
EXTRA: Final = "extra"
TRADING_DATE: Final = "trading_date"
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

COMMON_SCHEMA: Final[Mapping[str, pl.DataType]] = {TRADING_DATE: pl.Date(), **INSTRUMENT_SCHEMA}
"""Columns every parser fills behind the identity: the trading day of the event time, and what the
row's symbol stands for (all null where it cannot be translated)."""

RECORD_SCHEMA: Final[Mapping[str, pl.DataType]] = {
    SOURCE: pl.String(),
    FEED: pl.String(),
    FILE_KEY: pl.String(),
    **IDENTITY_SCHEMA,
    **COMMON_SCHEMA,
}
"""Columns every stored record begins with, whatever its data set."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is not stored, and why. `row` is its line in the file (1 is the header).

    A `duplicate` is no error of the desk's: a later row of the file says it anew.
    """

    row: int
    reason: str
    text: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a parser makes of one file: every data row is in `frame` or in `rejected`.

    Attributes:
        frame: `IDENTITY_SCHEMA` and `COMMON_SCHEMA` followed by the feed's own schema and `extra`,
            rows in file order; (record_key, event_time) is unique in it.
        rejected: the other rows, in file order.
        unknown_columns: columns of the file that the feed does not know; they are in `extra`.
    """

    frame: pl.DataFrame
    rejected: tuple[RejectedRow, ...] = ()
    unknown_columns: tuple[str, ...] = ()

    @property
    def rows_in(self) -> int:
        """Data rows of the file: what became a record, and what could not."""
        return self.frame.height + len(self.rejected)


Parser = Callable[[bytes, str], ParsedFile]
"""`parse(data, file_name)`; raises `UnparsableFileError` where no row can be trusted."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Records under one name in the stores: those of a feed, or derived from feeds.

    Attributes:
        source: system the records come from, first part of their keys.
        name: second part of their keys.
        title: what it is, for people.
        schema: the data set's own columns and their types, behind `RECORD_SCHEMA`.
        record_key_is: what a record key is, for people.
        event_time_is: where the event time comes from, for people.
        rewritten: the same file name is written again with other content; then the version of
            the latest hour, and in it the newest version of the key, wins.
        replaced: every file is the whole set: a record key that is not in the newest is gone.
    """

    source: str
    name: str
    title: str
    schema: Mapping[str, pl.DataType]
    record_key_is: str
    event_time_is: str
    rewritten: bool = False
    replaced: bool = False

    @property
    def path(self) -> str:
        """`<source>/<name>`: how people and settings name the data set."""
        return f"{self.source}/{self.name}"

    @property
    def record_schema(self) -> dict[str, pl.DataType]:
        """Schema of a frame that is ready to be stored."""
        return {**RECORD_SCHEMA, **self.schema}


@dataclass(frozen=True, kw_only=True)
class ParsedDataset(Dataset):
    """Records that are read from the bytes of others, as they come; what nobody knows is `extra`.

    Attributes:
        freshness_seconds: after this long without anything new it is stale.
        kinds: what the bytes are, for Dagster.
    """

    freshness_seconds: float
    kinds: frozenset[str] = field(default=frozenset({"csv"}))

    @property
    def frame_schema(self) -> dict[str, pl.DataType]:
        """Schema of `ParsedFile.frame`."""
        return {**IDENTITY_SCHEMA, **COMMON_SCHEMA, **self.schema, EXTRA: pl.String()}

    @property
    def record_schema(self) -> dict[str, pl.DataType]:
        """Schema of a frame that is ready to be stored."""
        return {**RECORD_SCHEMA, **self.schema, EXTRA: pl.String()}


@dataclass(frozen=True, kw_only=True)
class Feed(ParsedDataset):
    """All that the platform knows about one feed. Adding a feed is one of these.

    Attributes:
        file_pattern: matches the whole file name.
        parse: bytes and file name to a typed frame.
        cadence_seconds: how often a file is expected while the market is open; None: files come
            when something happens, and none is missing.
        gap_seconds: a silence of more open time than this is a gap.
        quote_columns: (bid, ask) columns to check for crossed or negative quotes.
    """

    file_pattern: re.Pattern[str]
    parse: Parser
    cadence_seconds: float | None = None
    gap_seconds: float | None = None
    quote_columns: tuple[str, str] | None = None


def to_records(feed: ParsedDataset, parsed: ParsedFile, file_key: str) -> pl.DataFrame:
    """The stored records of a parsed file: `feed.record_schema`, in file order."""
    return parsed.frame.select(
        pl.lit(feed.source).alias(SOURCE),
        pl.lit(feed.name).alias(FEED),
        pl.lit(file_key).alias(FILE_KEY),
        pl.all(),
    )
