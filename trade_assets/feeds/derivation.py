"""Deriving: from records of a feed to those of the data sets that are computed from it.

The stream derives for every micro-batch, of its newest picture only: what falls behind is not
caught up with, so that a backlog costs no more than the present. A rerun of an hour derives for
every file.
"""

from collections.abc import Iterator
from datetime import datetime

import polars as pl

from trade_assets.datasets.dataset import EVENT_TIME, RECORD_KEY, Feed
from trade_assets.feeds.derived.declarations import Derived, Input
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.feeds.stream.micro_batch import HistoryWriter, LatestWriter
from trade_assets.ingest.figures import DerivedFigures, DerivedWritten
from trade_assets.ingest.reading import event_time_bounds
from trade_assets.stores.connections import Stores
from trade_assets.stores.retrying import retrying


class Deriver:
    """Computes derived records, with inputs as of their origin's event times. Thread-safe."""

    def __init__(self, stores: Stores) -> None:
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
        records: pl.DataFrame,
        latest: LatestWriter,
        history: HistoryWriter,
    ) -> DerivedWritten:
        """Derive from the newest picture of `records`, and write both stores."""
        derived = self.compute(dataset, newest_picture(dataset.origin, records))
        changed = latest.write(dataset, derived).changed
        puts = history.write(dataset, derived).puts
        return DerivedWritten(derived, changed, puts)

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
            keys = self._stores.latest.record_keys(item.feed)
        else:
            keys = item.keys(records)
        at_hand = pl.DataFrame(schema=item.feed.record_schema)
        if item.feed is origin:
            at_hand = records.filter(pl.col(RECORD_KEY).is_in(keys))
            begun = at_hand.filter(pl.col(EVENT_TIME) == bounds[0])[RECORD_KEY].to_list()
            keys = [key for key in keys if key not in begun]
        if not keys:
            return at_hand
        return pl.concat([self._stores.as_of.records(item.feed, keys, *bounds), at_hand])


def newest_picture(origin: Feed, records: pl.DataFrame) -> pl.DataFrame:
    """The records of the newest event time; of a feed that is rewritten, all: a file is one."""
    if origin.rewritten:
        return records
    return records.filter(pl.col(EVENT_TIME) == pl.col(EVENT_TIME).max())


class DerivedHour:
    """A derived data set by landing hour of its origin's files, computed at every iteration."""

    def __init__(self, stores: Stores, dataset: Derived, files: HourFiles) -> None:
        self.dataset = dataset
        self.files = files
        self.figures = DerivedFigures(dataset, files.figures.partition)
        self._stores = stores
        self._deriver = Deriver(stores)

    def look(self) -> DerivedFigures:
        """Compute once, for the figures; nothing is written."""
        for records in self.frames():
            self.figures.add(records)
        return self.figures

    def frames(self) -> Iterator[pl.DataFrame]:
        """The derived records, as many files at a time as `HourFiles.batches` reads."""
        for batch in self.files.batches():
            yield self.compute(batch.records)

    def compute(self, records: pl.DataFrame) -> pl.DataFrame:
        """Derived records of records of the origin, tried again while a store is away."""
        again = retrying(self._stores.settings.stores.retry_seconds)
        return again(self._deriver.compute, self.dataset, records)
