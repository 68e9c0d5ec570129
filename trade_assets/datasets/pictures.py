"""A file as a picture of one moment, or a part of one: it says again what did not change. Pure.

Of such data sets (`Dataset.pictures`) the history holds changes only: a row is left out if at the
moment before, of which there is a file, its key had a row that says the same. Of each hour of event
time the first moment is held whole, and so is a file of which nobody can tell what came before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Final

import polars as pl

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, ROW
from trade_assets.datasets.statements import name_of

_OF_THE_PICTURE: Final = (EVENT_TIME, FILE_KEY, ROW)
"""Columns that tell where a row stands, and nothing of what it says."""

_EARLIER: Final = " earlier"

_DIGEST_BYTES: Final = 16

COPY_SECONDS: Final = 3600
"""A record that holds for a later one must be there for as long: so much longer than its own time
it is kept, which is as long as pictures refer to each other."""


@dataclass(frozen=True, slots=True, order=True)
class Picture:
    """A file's picture of one moment. Those of a data set compare as they follow on each other.

    Attributes:
        digest: of what it says; another one under the same time and name is another picture.
        expires_at: second of the epoch after which its records may go; None: they stay.
    """

    event_time: datetime
    file_name: str
    file_key: str = field(compare=False)
    digest: str = field(compare=False)
    expires_at: int | None = field(compare=False, default=None)

    @property
    def version(self) -> tuple[datetime, str, str, str]:
        """The same for the same content of the same file."""
        return self.event_time, self.file_name, self.file_key, self.digest

    @property
    def landing(self) -> str:
        """The hour of its landing, as text: where its file lies."""
        return self.file_key.rpartition("/")[0]

    @property
    def hour(self) -> datetime:
        """The hour of event time: no picture refers to one of another hour."""
        return self.event_time.replace(minute=0, second=0, microsecond=0)

    def can_refer_to(self, before: "Picture") -> bool:
        """Whether records of `before` may stand for those of this one: they are of the same hour,
        landed in the same hour, and are there for as long."""
        if self.hour != before.hour or self.landing != before.landing:
            return False
        if before.expires_at is None or self.expires_at is None:
            return before.expires_at is None
        return before.expires_at + COPY_SECONDS >= self.expires_at


@dataclass(frozen=True)
class SeenPicture:
    """A picture and its rows (`record_schema`), each key once."""

    picture: Picture
    rows: pl.DataFrame = field(repr=False)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The record keys that it speaks of."""
        return frozenset(self.rows[RECORD_KEY])


def pictures_of(records: pl.DataFrame, expires_at: pl.Expr | None = None) -> list[SeenPicture]:
    """The pictures that records of whole files make up, by their landing and then in their order.

    Args:
        expires_at: of a row the second of the epoch after which it may go.
    """
    found = [
        SeenPicture(_picture(rows, expires_at), rows)
        for rows in records.partition_by(EVENT_TIME, FILE_KEY, maintain_order=True)
    ]
    return sorted(found, key=lambda seen: (seen.picture.landing, seen.picture))


def changed_rows(rows: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Of rows those that `before` (each key once) does not have in the same words."""
    said = [name for name in rows.columns if name not in _OF_THE_PICTURE]
    if rows[RECORD_KEY].equals(before[RECORD_KEY]):
        # The usual case, five times as quick as a join.
        beside = rows.select(said).hstack(before.select(pl.col(said).name.suffix(_EARLIER)))
        return rows.filter(beside.select(pl.any_horizontal(_differs(said))).to_series())
    return rows.join(before, on=said, how="anti", nulls_equal=True, maintain_order="left")


def said_at_a_moment(pictures: Iterable[SeenPicture], by: Picture) -> pl.DataFrame:
    """What pictures of one moment say together, as far as `by`, a later one, can refer to it."""
    parts = sorted(pictures, key=lambda seen: seen.picture)
    if len(parts) > 1:
        together = pl.concat([seen.rows for seen in parts])
        said = together.unique(RECORD_KEY, keep="last", maintain_order=True)
    else:
        said = parts[0].rows
    beyond = [seen.picture.file_key for seen in parts if not by.can_refer_to(seen.picture)]
    return said.filter(~pl.col(FILE_KEY).is_in(beyond)) if beyond else said


def stood_for(rows: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """Rows that the last earlier row of the same key, or one of the same moment, stands for."""
    said = [name for name in rows.columns if name not in {RECORD_KEY, *_OF_THE_PICTURE}]
    numbered = rows.with_row_index("wanted")
    beside = numbered.sort(EVENT_TIME).join_asof(
        earlier.sort(EVENT_TIME),
        on=EVENT_TIME,
        by=RECORD_KEY,
        suffix=_EARLIER,
        check_sortedness=False,
    )
    same = ~pl.any_horizontal(_differs(said))
    found = beside.filter(pl.col(f"{FILE_KEY}{_EARLIER}").is_not_null() & same)["wanted"]
    return rows[found.sort()]


def _differs(columns: Iterable[str]) -> Iterator[pl.Expr]:
    """Of each column whether it says something else than that of the earlier rows beside it."""
    for name in columns:
        yield pl.col(name).ne_missing(pl.col(f"{name}{_EARLIER}"))


def _picture(rows: pl.DataFrame, expires_at: pl.Expr | None) -> Picture:
    first = rows.head(1)
    file_key = first.item(0, FILE_KEY)
    expires = None if expires_at is None else first.select(expires_at).item()
    return Picture(first.item(0, EVENT_TIME), name_of(file_key), file_key, _digest(rows), expires)


def _digest(rows: pl.DataFrame) -> str:
    text = rows.drop(_OF_THE_PICTURE).write_csv(null_value="\x00")
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
