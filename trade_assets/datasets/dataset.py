"""What a data set is: records under one name in the stores, parsed or derived. Pure.

No format belongs here, and nothing that reads or writes; which data sets exist is `registry`'s.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from trade_assets.datasets.described import ColumnKind, Described
from trade_assets.datasets.records import (
    COMMON_SCHEMA,
    EVENT_TIME,
    EXTRA,
    FEED,
    FILE_KEY,
    IDENTITY_SCHEMA,
    RECORD_COLUMNS,
    RECORD_KEY,
    RECORD_SCHEMA,
    SOURCE,
    ParsedFile,
)
from trade_assets.datasets.statements import StatementRule

Parser = Callable[[bytes, str], ParsedFile]
"""`parse(data, file_name)`; raises `UnparsableFileError` where no row can be trusted."""


@dataclass(frozen=True, kw_only=True)
class Dataset(Described):
    """Records under one name in the stores: those of a feed, or derived from feeds.

    Attributes:
        schema: the data set's own columns and their types, behind `RECORD_SCHEMA`.
        statement: of what a file is the whole truth, so that what its newest version does not say
            is gone; None: files only add. Such a data set is `rewritten` too.
        pictures: a file says what is so at one moment, whether or not it has changed; the history
            holds changes only.
        planned_seconds: its event times are no readings of a clock but the beginnings of what is
            to come, and may by right lie so far behind the landing of the file.
    """

    schema: Mapping[str, pl.DataType]
    statement: StatementRule | None = None
    pictures: bool = False
    planned_seconds: float = 0.0

    def latest_time(self, landed_at: datetime, tolerance_seconds: float) -> datetime:
        """The latest event time (inclusive) that a record can have whose file has landed then.

        Args:
            tolerance_seconds: so far the clocks of desk, exchange and stores may be apart.
        """
        return landed_at + timedelta(seconds=self.planned_seconds + tolerance_seconds)

    @property
    def group(self) -> str:
        """How people find the data set among all: the name of its group of assets."""
        return f"{self.source}_{self.name}"

    @property
    def record_schema(self) -> dict[str, pl.DataType]:
        """Schema of a frame that is ready to be stored."""
        return {**RECORD_SCHEMA, **self.schema}

    @property
    def column_kinds(self) -> Mapping[str, ColumnKind]:
        """As `Described`."""
        return {name: _kind(dtype) for name, dtype in self.record_schema.items()}

    @property
    def column_texts(self) -> dict[str, str]:
        """What every column of `record_schema` is, for people."""
        own = {RECORD_KEY: self.record_key_is, EVENT_TIME: self.event_time_is, **self.columns}
        texts = {**RECORD_COLUMNS, **own}
        return {name: texts[name] for name in self.record_schema}


@dataclass(frozen=True, kw_only=True)
class ParsedDataset(Dataset):
    """Records that are read from the bytes of others, as they come; what nobody knows is `extra`.

    Attributes:
        freshness_seconds: after this long without anything new it is stale.
        kinds: what the bytes are, for Dagster.
        cadence_seconds: how often a file is expected while the market is open; None: files come
            when something happens, and none is missing.
        gap_seconds: a silence of more open time than this is a gap.
        quote_columns: (bid, ask) columns to check for crossed or negative quotes.
        traded_columns: columns of prices in points, to check against the ticks of what trades.
    """

    freshness_seconds: float
    kinds: frozenset[str] = field(default=frozenset({"csv"}))
    cadence_seconds: float | None = None
    gap_seconds: float | None = None
    quote_columns: tuple[str, str] | None = None
    traded_columns: tuple[str, ...] = ()

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
    """

    file_pattern: re.Pattern[str]
    parse: Parser


def _kind(dtype: pl.DataType) -> ColumnKind:
    if dtype.is_numeric():
        return ColumnKind.NUMBER
    return ColumnKind.FLAG if dtype == pl.Boolean else ColumnKind.TEXT


def to_records(feed: ParsedDataset, parsed: ParsedFile, file_key: str) -> pl.DataFrame:
    """The stored records of a parsed file: `feed.record_schema`, in file order."""
    return parsed.frame.select(
        pl.lit(feed.source).alias(SOURCE),
        pl.lit(feed.name).alias(FEED),
        pl.lit(file_key).alias(FILE_KEY),
        pl.all(),
    )
