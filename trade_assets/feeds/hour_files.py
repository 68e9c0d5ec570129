"""The files of a feed that landed in certain hours: what a rerun reads, batch by batch."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import hour_prefix, partition_hour
from trade_assets.ingest.figures import HourFigures
from trade_assets.ingest.reading import FeedBatch, FileResult, FileVersion, by_feed, read_files
from trade_assets.stores.connections import Stores
from trade_assets.stores.retrying import retrying

BATCH_FILES: Final = 128
"""Files in memory at a time: 128 chains of 400 rows are 50,000 rows."""


class HourFiles:
    """Files of a feed by landing hour, read again from S3 at every iteration of `batches`.

    The asset's step and two IO managers iterate it one after the other, so that an hour of any
    size is never in memory as a whole. Reading a row again costs a hundredth of writing it; few
    files are kept instead.
    """

    def __init__(
        self,
        stores: Stores,
        feed: Feed,
        partitions: Sequence[str],
        only: frozenset[str] | None = None,
    ) -> None:
        self.feed = feed
        self.figures = HourFigures(feed, partitions[-1] if partitions else "")
        self._stores = stores
        self._hours = [partition_hour(partition) for partition in partitions]
        self._only = only
        self._results: dict[str, FileResult] = {}
        self._kept: list[FileResult] | None = None

    @property
    def results(self) -> list[FileResult]:
        """What every file came to when it was last read, without its rows."""
        return list(self._results.values())

    def look(self) -> HourFigures:
        """Read every file once, for the figures of them all; nothing is written."""
        for _ in self.batches():
            pass
        return self.figures

    def batches(self) -> Iterator[FeedBatch]:
        """The readable files and their records, at most `BATCH_FILES` at a time, in key order.

        Raises:
            StoreUnavailableError: S3 stayed away for longer than the bound of retries.
        """
        if self._kept is not None:
            yield from by_feed(self._kept)
            return
        versions = retrying(self._retry_seconds)(self._versions)
        for start in range(0, len(versions), BATCH_FILES):
            read = self.read(versions[start : start + BATCH_FILES])
            if len(versions) <= BATCH_FILES:
                self._kept = read
            yield from by_feed(read)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records alone, batch by batch."""
        for batch in self.batches():
            yield batch.records

    def read(self, versions: Sequence[FileVersion]) -> list[FileResult]:
        """Read file versions and take over what they came to, in place of earlier versions."""
        read = retrying(self._retry_seconds)(read_files, self._stores.objects, versions)
        now = datetime.now(UTC)
        for result in read:
            if result.version.key not in self._results:
                self.figures.add(result, result.version.lag_seconds(now))
            self._results[result.version.key] = result.without_records()
        return read

    @property
    def _retry_seconds(self) -> float:
        return self._stores.settings.stores.retry_seconds

    def _versions(self) -> list[FileVersion]:
        return [
            FileVersion(info.key, info.etag, info.landed_at)
            for hour in self._hours
            for info in self._stores.objects.list_after(hour_prefix(self.feed, hour))
            if self._only is None or info.key in self._only
        ]
