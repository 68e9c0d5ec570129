"""Pictures into the history: of each what the moment before does not say (`datasets.pictures`).

Pictures come late, and two writers write at once. Each writes its rows, notes the picture, and then
looks again who its neighbours are: of two that write neighbours at once, whoever noted later sees
the other. What a picture behind a new one has left out, and may not any more, is written then, read
again from its file. Nothing refers to a picture that is not noted, and so not answered for; whoever
is killed in between begins anew.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from threading import Lock
from typing import Final, Protocol

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.pictures import (
    Picture,
    SeenPicture,
    changed_rows,
    pictures_of,
    said_at_a_moment,
)
from trade_assets.datasets.records import FILE_KEY, RECORD_KEY
from trade_assets.errors import StoreUnavailableError
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.history_store import HistoryWritten

log = get_logger(__name__)

ROUNDS: Final = 20
"""Looks at neighbours that change all the time."""

SEEN: Final = 64
"""Pictures that are remembered: the next ones refer to the last."""


class PictureTable(Protocol):
    """The rows of pictures, as `HistoryStore` keeps records."""

    def put(self, dataset: Dataset, records: pl.DataFrame, /) -> int:
        """Put records; how many items that took."""

    def take_out(self, dataset: Dataset, records: pl.DataFrame, /) -> None:
        """Delete those of the records that are there."""

    def expiry(self, dataset: Dataset, /) -> pl.Expr | None:
        """Of a record the second of the epoch after which it goes; None: all stay."""


class NotedPictures(Protocol):
    """Which pictures the table answers for, as `PictureIndex` knows it."""

    def around(self, dataset: Dataset, first: datetime, last: datetime, /) -> list[Picture]:
        """What is noted from the moment before one to the moment behind another, of their hour."""

    def note(self, dataset: Dataset, pictures: Iterable[Picture], /) -> None:
        """Note pictures."""


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of a file as it is now, and its ETag."""

    records: pl.DataFrame
    etag: str


ReadAgain = Callable[[str], FileRows | None]
"""Reads a file by its key; None: there is none, or nothing of it can be read."""

Recount = Callable[[str, str, int, int], None]
"""Told of a file (key, ETag) how many of its rows are kept and how many are unchanged, when another
has come before it."""


@dataclass
class _Told:
    """What writing came to so far: items that were put, and rows that were not, by file key."""

    puts: int = 0
    unchanged: Counter[str] = field(default_factory=Counter)


class PictureHistory:
    """Writes pictures. Thread-safe.

    Args:
        table: where the rows are kept.
        noted: which pictures it answers for.
        read_again: for neighbours that are not remembered.
        recount: for files that are in the ledger already.
    """

    def __init__(
        self, table: PictureTable, noted: NotedPictures, read_again: ReadAgain, recount: Recount
    ) -> None:
        self._table = table
        self._noted = noted
        self._read_again = read_again
        self._recount = recount
        self._seen = _Remembered()

    def write(
        self, dataset: Dataset, records: pl.DataFrame, *, settle: bool = False
    ) -> HistoryWritten:
        """Write what pictures, whole files, say anew. The history answers the same afterwards as if
        it had every row.

        Args:
            settle: also take out rows of them that need not be there: of a file that was rewritten,
                or that came before the one before it.

        Raises:
            StoreUnavailableError: a store cannot be reached; writing again is right.
        """
        told = _Told()
        pictures = pictures_of(records, self._table.expiry(dataset))
        # One name may have landed twice, in two hours; each is written for itself.
        for _, hour in groupby(pictures, key=attrgetter("picture.landing", "picture.hour")):
            self._write_hour(dataset, list(hour), told, settle=settle)
        return HistoryWritten(records.height, told.puts, unchanged=told.unchanged)

    def _write_hour(
        self, dataset: Dataset, pictures: list[SeenPicture], told: _Told, *, settle: bool
    ) -> None:
        own = {seen.picture: seen for seen in pictures}
        first, last = pictures[0].picture.event_time, pictures[-1].picture.event_time
        line = _Line(own, self._noted.around(dataset, first, last))
        put: dict[Picture, frozenset[str]] = {}
        for _ in range(ROUNDS):
            left = self._write_rows(dataset, line, put, told)
            if settle and left:
                self._table.take_out(dataset, pl.concat(left))
            self._noted.note(dataset, line.not_noted())
            again = _Line(own, self._noted.around(dataset, first, last))
            if again.others() == line.others():
                self._seen.add(pictures)
                told.unchanged.update(_counts(left))
                self._write_behind(dataset, again, told)
                return
            line = again
        raise StoreUnavailableError(
            f"{dataset.path}: pictures of {first} come faster than they can be put in order"
        )

    def _write_rows(
        self,
        dataset: Dataset,
        line: "_Line",
        put: dict[Picture, frozenset[str]],
        told: _Told,
    ) -> list[pl.DataFrame]:
        """Write what has to be there of every own picture, and was not put before; what need not
        be there."""
        wanted, left = [], []
        for picture, seen in line.own.items():
            rows = self._needed(seen, line)
            before = put.get(picture, frozenset())
            put[picture] = frozenset(rows[RECORD_KEY])
            wanted.append(_without(rows, before))
            if rows.height < seen.rows.height:
                left.append(_without(seen.rows, put[picture]))
        told.puts += self._table.put(dataset, pl.concat(wanted))
        return left

    def _needed(self, seen: SeenPicture, line: "_Line") -> pl.DataFrame:
        """The rows that have to be there of a picture: all, or what changed."""
        picture, noted = seen.picture, line.noted.get(seen.picture)
        if noted is not None and noted.digest != picture.digest:
            # Rows of the former content may be there, and must not speak for this one.
            return seen.rows
        before = self._all_of(line.before(picture), line)
        beside = self._all_of(line.beside(picture), line)
        if not before or beside is None:
            return seen.rows
        rows = changed_rows(seen.rows, said_at_a_moment(before, picture))
        # Two files of one moment that have the same key: neither leaves it to another moment.
        twice = {key for other in beside for key in other.keys & seen.keys}
        if not twice:
            return rows
        return seen.rows.filter(pl.col(RECORD_KEY).is_in([*rows[RECORD_KEY], *twice]))

    def _write_behind(self, dataset: Dataset, line: "_Line", told: _Told) -> None:
        """Write of other pictures what has to be there now that there are these."""
        for picture in line.behind():
            seen = self._rows_of(picture)
            if seen is None or not _matters(line, seen):
                continue
            rows = self._needed(seen, line)
            told.puts += self._table.put(dataset, rows)
            file = self._read_again(picture.file_key)
            if file is not None:
                unchanged = seen.rows.height - rows.height
                self._recount(picture.file_key, file.etag, rows.height, unchanged)

    def _all_of(self, pictures: Iterable[Picture], line: "_Line") -> list[SeenPicture] | None:
        """Pictures with their rows; None if one cannot be had."""
        found = []
        for picture in pictures:
            seen = line.own.get(picture) or self._rows_of(picture)
            if seen is None:
                return None
            found.append(seen)
        return found

    def _rows_of(self, picture: Picture) -> SeenPicture | None:
        """A picture that is noted; None if its file is gone, or another one by now."""
        remembered = self._seen.get(picture)
        if remembered is not None:
            return remembered
        file = self._read_again(picture.file_key)
        for seen in pictures_of(file.records) if file is not None else ():
            if seen.picture.version == picture.version:
                return seen
        log.warning("a picture's file is not what it was", file=picture.file_key)
        return None


class _Line:
    """The pictures of an hour from the moment before the own ones to the one behind them."""

    def __init__(self, own: Mapping[Picture, SeenPicture], noted: Iterable[Picture]) -> None:
        self.own = own
        self.noted = {picture: picture for picture in noted}
        self._moments: dict[datetime, list[Picture]] = {}
        # The own ones first: a set keeps them as they are now, not as they were noted.
        for picture in sorted({*own, *self.noted}):
            self._moments.setdefault(picture.event_time, []).append(picture)
        moments = list(self._moments)
        self._before = dict(zip(moments[1:], moments, strict=False))

    def before(self, picture: Picture) -> list[Picture]:
        """The pictures of the moment before."""
        moment = self._before.get(picture.event_time)
        return [] if moment is None else self._moments[moment]

    def beside(self, picture: Picture) -> list[Picture]:
        """The others of the same moment."""
        return [other for other in self._moments[picture.event_time] if other != picture]

    def behind(self) -> list[Picture]:
        """Others that the own ones may matter to: of the same moments, and of the next ones."""
        return [
            picture
            for picture in self.noted.values()
            if picture not in self.own
            and any(near in self.own for near in (*self.before(picture), *self.beside(picture)))
        ]

    def others(self) -> set[tuple[datetime, str, str, str]]:
        """The versions of all but the own."""
        return {picture.version for picture in self.noted.values() if picture not in self.own}

    def not_noted(self) -> list[Picture]:
        """Those of the own that are not, or not as they are."""
        noted = {picture.version for picture in self.noted.values()}
        return [picture for picture in self.own if picture.version not in noted]


def _matters(line: _Line, seen: SeenPicture) -> bool:
    """Whether own pictures matter to another: those of the moment before always, since it may have
    left rows to the moment before theirs; those of its own moment where they share keys with it."""
    if any(near in line.own for near in line.before(seen.picture)):
        return True
    beside = (line.own.get(near) for near in line.beside(seen.picture))
    return any(own is not None and own.keys & seen.keys for own in beside)


def _without(rows: pl.DataFrame, record_keys: frozenset[str]) -> pl.DataFrame:
    return rows.filter(~pl.col(RECORD_KEY).is_in(list(record_keys))) if record_keys else rows


def _counts(frames: Iterable[pl.DataFrame]) -> Counter[str]:
    """Rows by file key."""
    counts: Counter[str] = Counter()
    for frame in frames:
        counts.update(frame[FILE_KEY])
    return counts


class _Remembered:
    """The pictures that were written last. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pictures: OrderedDict[object, SeenPicture] = OrderedDict()

    def add(self, pictures: Iterable[SeenPicture]) -> None:
        with self._lock:
            for seen in pictures:
                self._pictures[seen.picture.version] = seen
                self._pictures.move_to_end(seen.picture.version)
            while len(self._pictures) > SEEN:
                self._pictures.popitem(last=False)

    def get(self, picture: Picture) -> SeenPicture | None:
        with self._lock:
            return self._pictures.get(picture.version)
