"""The files of a feed that landed in certain hours: what a rerun reads, writes and accounts for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import hour_prefix, partition_hour
from trade_assets.errors import StoreRejectedError
from trade_assets.feeds.hour_rows import HourRows
from trade_assets.ingest.accounting import account
from trade_assets.ingest.figures import FileFigures
from trade_assets.ingest.file_status import note_files
from trade_assets.ingest.hour_records import HourRecords, raise_failed
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.ingest.isolation import Portion
from trade_assets.ingest.reading import (
    FileBatch,
    FileResult,
    FileVersion,
    by_dataset,
    mark_refused,
    mark_unchanged,
    read_files,
    read_former,
)
from trade_assets.ingest.rewrites import follow_rewrites
from trade_assets.stores.dynamodb.ledger import FileState

BATCH_FILES: Final = 128
"""Files in memory at a time: 128 chains of 400 rows are 50,000 rows."""


class HourFiles(HourRecords):
    """Files of a feed by landing hour, read again from S3 at every iteration of `batches`.

    The asset's step and two IO managers iterate it one after the other. Reading a row again costs
    a hundredth of writing it; few files are kept instead.

    Args:
        stores: where the files are, and where they are accounted for.
        feed: whose files.
        partitions: keys of hour partitions.
        only: of their files only those of these keys; None: all.

    Every method that reads raises StoreUnavailableError if S3 stays away for longer than the bound
    of retries.
    """

    def __init__(
        self,
        stores: IngestStores,
        feed: Feed,
        partitions: Sequence[str],
        only: frozenset[str] | None = None,
    ) -> None:
        self._feed = feed
        self._figures = FileFigures(feed, partitions[-1] if partitions else "")
        self._stores = stores
        self._partitions = tuple(partitions)
        self._hours = [partition_hour(partition) for partition in partitions]
        self._only = only
        # Files that somebody names have just landed; an hour as a whole is read again.
        self._fresh = only is not None
        self._results: dict[str, FileResult] = {}
        self._kept: list[FileResult] | None = None

    @property
    def dataset(self) -> Feed:
        """The feed."""
        return self._feed

    @property
    def figures(self) -> FileFigures:
        """Figures of every file that was read."""
        return self._figures

    @property
    def results(self) -> list[FileResult]:
        """What every file came to when it was last read, without its rows."""
        return list(self._results.values())

    def look(self) -> FileFigures:
        """Read every file once, for the figures of them all; nothing is written."""
        for _ in self.batches():
            pass
        return self._figures

    def batches(self) -> Iterator[FileBatch]:
        """The readable files and their records, at most `BATCH_FILES` at a time, in key order; what
        a store refused is left out from then on."""
        if self._kept is not None:
            yield from by_dataset(self._not_failed(self._kept))
            return
        versions = self._versions()
        for start in range(0, len(versions), BATCH_FILES):
            read = self._take(read_files(self._stores, versions[start:][:BATCH_FILES]))
            if len(versions) <= BATCH_FILES:
                self._kept = read
            yield from by_dataset(self._not_failed(read))

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records alone, batch by batch."""
        for batch in self.batches():
            yield batch.records

    def portions(self) -> Iterator[Portion]:
        """The records, and which files state."""
        for batch in self.batches():
            yield batch.portion

    def history_portions(self) -> Iterator[Portion]:
        """All of them; of statements first what their former versions said, each by itself."""
        if self._feed.statement is not None:
            for hour in self._hours:
                versions = self._stores.object_versions
                listed = versions.former(hour_prefix(self._feed, hour))
                tolerance = self._stores.settings.arrival.ahead_seconds
                for former in read_former(versions, listed, tolerance):
                    for batch in by_dataset([former]):
                        yield batch.portion
        yield from self.portions()

    def rewritten(self) -> "Iterator[RewrittenFiles]":
        """The current versions of files that were rewritten between their reading and now; each to
        be written before the next is asked for.

        Raises:
            RewrittenTooFastError: a key is rewritten faster than it can be read; run it again.
        """
        if self._feed.rewritten:
            for read in follow_rewrites(self._stores, self.results):
                yield RewrittenFiles(self, self._take(read))

    def refuse(self, refused: Mapping[str, StoreRejectedError]) -> None:
        """As `HourRecords.refuse`."""
        mark_refused(self._results, refused)

    def note_unchanged(self, unchanged: Mapping[str, int]) -> None:
        """As `HourRecords.note_unchanged`."""
        mark_unchanged(self._results, unchanged)
        super().note_unchanged(unchanged)

    def account(self, run_id: str) -> None:
        """Ledger, quarantine and status of the files, when both stores have the rows."""
        results, now = self.results, datetime.now(UTC)
        account(self._stores.objects, self._stores.ledger, results, run_id, release=True)
        lags = {item.version.key: item.version.lag_seconds(now) for item in results}
        lags = lags if self._fresh else {}
        note_files(self._stores, self._feed, results, now, lags, repair=not self._fresh)

    def hour_rows(self) -> dict[str, int]:
        """Rows of every hour so far, by partition: of what is read here, and of what of the hour
        was stored before."""
        counter = HourRows(self._stores)
        return {
            partition: counter.total(self._feed, partition, self._stored(partition))
            for partition in self._partitions
        }

    def _stored(self, partition: str) -> list[tuple[str, str, int]]:
        prefix = hour_prefix(self._feed, partition_hour(partition))
        stored = self._figures.stored.items()
        return [(key, etag, rows) for key, (etag, rows) in stored if key.startswith(prefix)]

    def raise_failed(self) -> None:
        """Raise StoreRejectedError naming the files that could not be ingested for a reason that is
        not in them; all others are in the stores."""
        failed = (item for item in self.results if item.state is FileState.FAILED)
        raise_failed({item.version.key: item.error or "" for item in failed})

    def _take(self, read: list[FileResult]) -> list[FileResult]:
        """Take over what files came to, in place of earlier versions."""
        now = datetime.now(UTC)
        for result in read:
            key = result.version.key
            known = self._results.get(key)
            if known is None:
                lag = result.version.lag_seconds(now) if self._fresh else None
                self._figures.add(result, lag)
            if known is None or known.version != result.version:
                self._results[key] = result.without_records()
        return read

    def _not_failed(self, read: Sequence[FileResult]) -> list[FileResult]:
        return [
            result
            for result in read
            if self._results[result.version.key].state is not FileState.FAILED
        ]

    def _versions(self) -> list[FileVersion]:
        return [
            FileVersion(info.key, info.etag, info.landed_at)
            for hour in self._hours
            for info in self._stores.objects.list_after(hour_prefix(self._feed, hour))
            if self._only is None or info.key in self._only
        ]


class RewrittenFiles(HourRecords):
    """The current versions of some of the files of an hour, in memory."""

    def __init__(self, files: HourFiles, read: list[FileResult]) -> None:
        self._files = files
        self._read = read

    @property
    def dataset(self) -> Feed:
        """The feed."""
        return self._files.dataset

    @property
    def figures(self) -> FileFigures:
        """Those of the hour."""
        return self._files.figures

    def batches(self) -> Iterator[FileBatch]:
        """The readable files and their records."""
        yield from by_dataset(self._read)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The records alone."""
        for batch in self.batches():
            yield batch.records

    def portions(self) -> Iterator[Portion]:
        """The records, and which files state."""
        for batch in self.batches():
            yield batch.portion

    def history_portions(self) -> Iterator[Portion]:
        """All of them."""
        return self.portions()

    def refuse(self, refused: Mapping[str, StoreRejectedError]) -> None:
        """As `HourRecords.refuse`."""
        self._files.refuse(refused)
