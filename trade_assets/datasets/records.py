"""What a record is: the columns that each begins with, and what a parser makes of bytes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from trade_assets.datasets.column_names import EVENT_TIME as EVENT_TIME
from trade_assets.datasets.column_names import EXTRA as EXTRA
from trade_assets.datasets.column_names import FEED as FEED
from trade_assets.datasets.column_names import FILE_KEY as FILE_KEY
from trade_assets.datasets.column_names import RECORD_KEY as RECORD_KEY
from trade_assets.datasets.column_names import ROW as ROW
from trade_assets.datasets.column_names import SOURCE as SOURCE
from trade_assets.datasets.column_names import TRADING_DATE as TRADING_DATE
from trade_assets.market.identify import INSTRUMENT_COLUMNS, INSTRUMENT_SCHEMA

EVENT_TIME_TYPE: Final = pl.Datetime("us", "UTC")

MAX_KEY_BYTES: Final = 512
"""Longest record key. DynamoDB allows 2,048 bytes for the whole partition key."""

MAX_REJECTED_TEXT: Final = 1_000
"""A rejected row's text is cut after so many characters; its number still finds it in the file."""

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

RECORD_COLUMNS: Final[Mapping[str, str]] = {
    SOURCE: "system the record comes from",
    FEED: "data set of the source",
    FILE_KEY: "object of the bucket that the record was read or derived from",
    ROW: "line in the file, 1 is the header; of JSON the ordinal number",
    TRADING_DATE: "trading day of the event time, which begins at 17:00 US Central",
    **INSTRUMENT_COLUMNS,
    EXTRA: "what the file says in columns that nobody knows, as JSON",
}
"""What these columns are, for people; what a record is about, and when, says its data set."""


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
