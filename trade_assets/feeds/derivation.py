"""Deriving: from records of a feed to those of the data sets that are computed from it.

The stream derives for every micro-batch, of its newest picture only: what falls behind is not
caught up with, so that a backlog costs no more than the present. A rerun of an hour derives for
every file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, TRADING_DATE
from trade_assets.datasets.statements import moment_of
from trade_assets.errors import StoreRejectedError, StoreUnavailableError, TransientError
from trade_assets.feeds.datasets import derived_beside
from trade_assets.feeds.derived.declarations import Derived, Input
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.hour_files import HourFiles, RewrittenFiles
from trade_assets.ingest.figures import Figures
from trade_assets.ingest.former_records import restore_former
from trade_assets.ingest.hour_records import HourRecords, raise_failed
from trade_assets.ingest.isolation import Isolation, Portion
from trade_assets.ingest.reading import describe, event_time_bounds
from trade_assets.ingest.writing import HistoryWriter, LatestWriter
from trade_assets.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DerivedWritten:
    """What deriving came to: the records, and what they changed in the two stores."""

    records: pl.DataFrame
    latest_changed: int
    history_puts: int


@dataclass
class DerivedFigures(Figures):
    """Figures of one derived data set and landing hour of its origin.

    `details` are those that the data set itself has: its counts are sums, others are those of the
    newest records. `failures` are reasons why records could not be derived, a sentence each.
    """

    dataset: Derived
    rows: int = 0
    details: dict[str, float | int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, records: pl.DataFrame) -> None:
        """Count records that were derived."""
        self.rows += records.height
        if records.is_empty():
            return
        self.span(*event_time_bounds(records))
        self.sample = records
        for name, value in self.dataset.figures(records).items():
            is_count = isinstance(value, int)
            self.details[name] = self.details.get(name, 0) + value if is_count else value

    def fail(self, reason: str) -> None:
        """Note a reason, once."""
        if reason not in self.failures:
            self.failures.append(reason)

    def described(self, layer: str) -> dict[str, Any]:
        """As `Figures.described`."""
        return {"rows": self.rows, **self.details, **super().described(layer)}


class Deriver:
    """Computes derived records, with inputs as of their origin's event times. Thread-safe."""

    def __init__(self, stores: FeedStores) -> None:
        self._stores = stores

    def compute(self, dataset: Derived, records: pl.DataFrame) -> pl.DataFrame:
        """The derived records of records of the origin (`dataset.record_schema`).

        Raises:
            StoreUnavailableError: a store that holds an input cannot be reached.
        """
        first, last = event_time_bounds(records)
        if first is None or last is None:
            return pl.DataFrame(schema=dataset.record_schema)
        inputs = {
            name: self._input(item, dataset.origin, records, (first, last))
            for name, item in dataset.inputs.items()
        }
        return dataset.compute(records, inputs)

    def write(
        self,
        dataset: Derived,
        origin: Portion,
        latest: LatestWriter,
        history: HistoryWriter,
    ) -> DerivedWritten:
        """Derive from the newest picture of records of the origin, and write both stores."""
        derived = self.compute(dataset, newest_picture(dataset.origin, origin.records))
        changed = latest.write(dataset, derived, origin.stated).changed
        written = history.write(dataset, derived, origin.stated)
        restore_former(self._stores, dataset, written.dropped)
        return DerivedWritten(derived, changed, written.puts)

    def affected(self, dataset: Derived, days: Iterable[date]) -> Iterator[Portion]:
        """The origin's statements that have rows of trading dates, to be derived from anew since an
        input says something else of these dates.

        A statement of a day may have rows of the trading dates beside it, and no others.
        """
        wanted = set(days)
        around = {day + timedelta(days=step) for day in wanted for step in (-1, 0, 1)}
        for day in sorted(around):
            for newest, records in self._stores.history.statements_on(dataset.origin, day):
                if not wanted.isdisjoint(records[TRADING_DATE]):
                    yield Portion(records, {newest.file_key: moment_of(newest.stated_at)})

    def _input(
        self,
        item: Input,
        origin: Feed,
        records: pl.DataFrame,
        bounds: tuple[datetime, datetime],
    ) -> pl.DataFrame:
        """Records of an input: at hand where the origin's own records have them from the first
        moment on, else from the stores."""
        if item.keys is None:
            return self._stated(item.feed, trading_dates_of(records))
        keys = item.keys(records)
        at_hand = pl.DataFrame(schema=item.feed.record_schema)
        if item.feed is origin:
            at_hand = records.filter(pl.col(RECORD_KEY).is_in(keys))
            begun = at_hand.filter(pl.col(EVENT_TIME) == bounds[0])[RECORD_KEY].to_list()
            keys = [key for key in keys if key not in begun]
        if not keys:
            return at_hand
        return pl.concat([self._stores.as_of.records(item.feed, keys, *bounds), at_hand])

    def _stated(self, feed: Feed, days: list[date]) -> pl.DataFrame:
        """What the newest statements of a feed say of trading dates: by the history, which has all
        days; by `latest`, which has the newest ones, while that is away or where it has none (of
        files that were stored before statements were)."""
        found: dict[date, pl.DataFrame | None] = dict.fromkeys(days)
        try:
            found = {day: self._stores.history.stated(feed, day) for day in days}
        except StoreUnavailableError as error:
            log.warning("statements are taken from latest", feed=feed.path, error=str(error))
        frames = [frame for frame in found.values() if frame is not None]
        without = [day for day, frame in found.items() if frame is None]
        if without:
            newest = self._stores.latest.whole_frame(feed)
            frames.append(newest.filter(pl.col(TRADING_DATE).is_in(without)))
        return pl.concat([pl.DataFrame(schema=feed.record_schema), *frames])


def trading_dates_of(records: pl.DataFrame) -> list[date]:
    """The trading dates that records are of."""
    return records[TRADING_DATE].drop_nulls().unique().sort().to_list()


def newest_picture(origin: Feed, records: pl.DataFrame) -> pl.DataFrame:
    """The records of the newest event time; of a feed that is rewritten, all: a file is one."""
    if origin.rewritten:
        return records
    return records.filter(pl.col(EVENT_TIME) == pl.col(EVENT_TIME).max())


def derive_beside(stores: FeedStores, files: HourFiles) -> None:
    """Derive anew what looks at the statements of a feed that were just written.

    Raises:
        StoreUnavailableError: a store cannot be reached.
    """
    deriver = Deriver(stores)
    for derived in derived_beside(files.dataset):
        days = {day for records in files.frames() for day in trading_dates_of(records)}
        for origin in deriver.affected(derived, days):
            deriver.write(derived, origin, stores.latest, stores.history)


class DerivedHour(HourRecords):
    """A derived data set by landing hour of its origin's files, computed at every iteration.

    Every method that computes raises StoreUnavailableError if a store that holds an input stays
    away for longer than the bound of retries.
    """

    def __init__(
        self, stores: FeedStores, dataset: Derived, files: HourFiles | RewrittenFiles
    ) -> None:
        self._dataset = dataset
        self._files = files
        self._figures = DerivedFigures(dataset, files.figures.partition)
        self._deriver = Deriver(stores)
        self._refused: dict[str, str] = {}

    @property
    def dataset(self) -> Derived:
        """The derived data set."""
        return self._dataset

    @property
    def figures(self) -> DerivedFigures:
        """Figures of what was looked at and written."""
        return self._figures

    def look(self) -> DerivedFigures:
        """Compute once, for the figures; nothing is written."""
        for records in self.frames():
            self._figures.add(records)
        return self._figures

    def frames(self) -> Iterator[pl.DataFrame]:
        """The derived records, as many files at a time as the origin's batches have."""
        for portion in self.portions():
            yield portion.records

    def portions(self) -> Iterator[Portion]:
        """The same, and what of it states: the derived records of a statement do too."""
        return self._derived(self._files.portions())

    def history_portions(self) -> Iterator[Portion]:
        """The same of all that the history has of the origin."""
        return self._derived(self._files.history_portions())

    def _derived(self, origins: Iterator[Portion]) -> Iterator[Portion]:
        for origin in origins:
            parts, computed = Isolation(self._not_refused(origin)), []
            for part in parts:
                try:
                    records = self._deriver.compute(self._dataset, part.records)
                except TransientError:
                    raise
                except Exception as error:
                    # A defect of ours, or a file of which nothing can be derived: it costs itself.
                    log.exception("cannot derive", dataset=self._dataset.path)
                    parts.refuse(part, StoreRejectedError(f"cannot derive: {describe(error)}"))
                    continue
                computed.append(Portion(records, part.stated))
            self.refuse(parts.refused)
            yield from computed

    def _not_refused(self, portion: Portion) -> Portion:
        if not self._refused:
            return portion
        return Portion(
            portion.records.filter(~pl.col(FILE_KEY).is_in(list(self._refused))),
            {key: at for key, at in portion.stated.items() if key not in self._refused},
        )

    def refuse(self, refused: Mapping[str, StoreRejectedError]) -> None:
        """As `HourRecords.refuse`; the files are those of the origin."""
        self._refused |= {key: str(error) for key, error in refused.items()}

    def raise_failed(self) -> None:
        """Raise StoreRejectedError naming the files whose derived records a store refuses."""
        raise_failed(self._refused)
