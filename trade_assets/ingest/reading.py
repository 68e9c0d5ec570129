"""From file versions to records: read, parse, and account for every file and row.

The stream run and the rerun of a partition both go through `read_files`; neither knows another way
from bytes to rows. Nothing here writes to the two stores of records.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import EVENT_TIME, Feed, RejectedRow, to_records
from trade_assets.datasets.keys import FeedKey, parse_feed_key
from trade_assets.errors import (
    ObjectMissingError,
    TradeAssetsError,
    TransientError,
    UnknownFeedError,
    UnparsableFileError,
)
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState, Ledger, LedgerEntry
from trade_assets.stores.s3.objects import ObjectBytes, ObjectInfo, ObjectStore

log = get_logger(__name__)

REWRITE_ROUNDS: Final = 20
"""Looks for a newer version of a key that keeps being rewritten, before that is an error."""

QUARANTINE_ROWS_LISTED = 1000
"""Rejected rows that a quarantine report lists in full; the count is always whole."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file version to ingest: as announced by a notification, or as listed."""

    key: str
    etag: str
    landed_at: datetime

    def lag_seconds(self, now: datetime) -> float:
        """Seconds from its landing to `now`; never negative, whatever the clocks say."""
        return max((now - self.landed_at).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What reading one file version came to.

    `version` is what was read: of a key that was rewritten meanwhile, the newer one, and then
    `superseded` is the ETag that was asked for.
    """

    version: FileVersion
    size: int = 0
    feed_key: FeedKey | None = None
    records: pl.DataFrame | None = None
    rows_stored: int = 0
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None
    rejected: tuple[RejectedRow, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    state: FileState = FileState.STORED
    error: str | None = None
    superseded: str | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether the desk's file needs a look: it, or a row of it, could not be read."""
        return self.state is FileState.QUARANTINED or any(
            not row.duplicate for row in self.rejected
        )

    def without_records(self) -> "FileResult":
        """The same file without its rows, for accounting when they are written."""
        return replace(self, records=None)

    def failed(self, error: Exception) -> "FileResult":
        """The same file after an error of its own."""
        return replace(
            self,
            records=None,
            rows_stored=0,
            first_event_time=None,
            last_event_time=None,
            rejected=(),
            state=FileState.FAILED,
            error=describe(error),
        )


@dataclass(frozen=True)
class FeedBatch:
    """Readable files of one feed and all their records, in key order."""

    feed: Feed
    files: list[FileResult]
    records: pl.DataFrame = field(repr=False)


def read_files(objects: ObjectStore, versions: Sequence[FileVersion]) -> list[FileResult]:
    """Read and parse file versions; one result each, whatever is wrong with a file.

    Raises:
        TransientError: S3 cannot be reached; nothing has been done.
    """
    loaded = objects.get_many([version.key for version in versions])
    return [_result(version, item) for version, item in zip(versions, loaded, strict=True)]


def by_feed(results: Sequence[FileResult]) -> list[FeedBatch]:
    """Readable results, feed by feed, files in the order of their keys."""
    groups: dict[str, list[FileResult]] = {}
    for result in sorted(results, key=lambda item: item.version.key):
        if result.records is not None and result.feed_key is not None:
            groups.setdefault(result.feed_key.feed.path, []).append(result)
    return [_batch(files) for files in groups.values()]


def account(
    objects: ObjectStore,
    ledger: Ledger,
    results: Sequence[FileResult],
    run_id: str | None,
    release: bool = False,
) -> None:
    """Write the ledger's lines of files that are through, and quarantine what was refused.

    To be called when both stores have the rows. `release` takes files that are whole out of
    quarantine (a rerun after a repair).
    """
    for result in results:
        if result.is_damaged:
            _quarantine(objects, result)
    if release:
        whole = (r for r in results if r.state is FileState.STORED and not r.is_damaged)
        objects.release([result.version.key for result in whole])
    ledger.record([entry for result in results for entry in ledger_entries(result, run_id)])


def ledger_entries(result: FileResult, run_id: str | None) -> list[LedgerEntry]:
    """The ledger's line of a file version, and of the version it superseded."""
    now = datetime.now(UTC)
    version = result.version
    entry = LedgerEntry(
        file_key=version.key,
        etag=version.etag or "unknown",
        state=result.state,
        rows_in=result.rows_stored + len(result.rejected),
        rows_stored=result.rows_stored,
        rows_rejected=len(result.rejected),
        landed_at=version.landed_at,
        ingested_at=now,
        first_event_time=result.first_event_time,
        last_event_time=result.last_event_time,
        error=result.error or _rejects_text(result.rejected),
        run_id=run_id,
    )
    if result.superseded is None:
        return [entry]
    gone = LedgerEntry(
        version.key, result.superseded, FileState.SUPERSEDED, 0, 0, 0, version.landed_at, now,
        error="rewritten before it was read", run_id=run_id,
    )  # fmt: skip
    return [gone, entry]


def stale_versions(objects: ObjectStore, files: Sequence[FileResult]) -> list[FileVersion]:
    """The current versions of those files that were rewritten after they had been read."""
    current = objects.head_many([result.version.key for result in files])
    return [
        FileVersion(info.key, info.etag, info.landed_at)
        for result, info in zip(files, current, strict=True)
        if info is not None and info.etag != result.version.etag
    ]


def newest_file(files: Sequence[FileResult]) -> tuple[datetime, str] | None:
    """(last event time, key) of the file with the newest record, or None without rows."""
    known = [(f.last_event_time, f.version.key) for f in files if f.last_event_time is not None]
    return max(known, default=None)


def event_time_bounds(records: pl.DataFrame) -> tuple[datetime | None, datetime | None]:
    """First and last event time of records, UTC; (None, None) without rows."""
    if records.is_empty():
        return None, None
    times = records[EVENT_TIME]
    first, last = times.min(), times.max()
    return (
        first if isinstance(first, datetime) else None,
        last if isinstance(last, datetime) else None,
    )


def describe(error: BaseException) -> str:
    """An error as the ledger and quarantine tell it: kind and message."""
    if isinstance(error, TradeAssetsError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _result(version: FileVersion, loaded: ObjectBytes | TradeAssetsError) -> FileResult:
    if isinstance(loaded, ObjectMissingError):
        return FileResult(version, state=FileState.MISSING, error=str(loaded))
    if isinstance(loaded, TransientError):
        raise loaded
    if isinstance(loaded, TradeAssetsError):
        return FileResult(version, state=FileState.FAILED, error=str(loaded))
    read = FileVersion(version.key, loaded.info.etag, version.landed_at)
    superseded = None
    if version.etag and version.etag != read.etag:
        superseded = version.etag
        read = replace(read, landed_at=loaded.info.landed_at)
    return replace(_parsed(read, loaded.data), size=loaded.info.size, superseded=superseded)


def _parsed(version: FileVersion, data: bytes) -> FileResult:
    try:
        feed_key = parse_feed_key(version.key)
    except UnknownFeedError as error:
        return FileResult(version, state=FileState.QUARANTINED, error=str(error))
    read = FileResult(version, feed_key=feed_key)
    feed = feed_key.feed
    try:
        if not feed.file_pattern.fullmatch(feed_key.file_name):
            raise UnparsableFileError(feed_key.file_name, f"not a file name of feed {feed.path}")
        parsed = feed.parse(data, feed_key.file_name)
    except UnparsableFileError as error:
        return replace(read, state=FileState.QUARANTINED, error=str(error))
    except Exception as error:
        # A parser that trips over a file is a defect of ours, and must cost that file only: it
        # is tried again and ends in the dead-letter queue, and the others go on.
        log.exception("parser failed", feed=feed.path, file=version.key)
        return read.failed(error)
    first, last = event_time_bounds(parsed.frame)
    return replace(
        read,
        records=to_records(feed, parsed, version.key),
        rows_stored=parsed.frame.height,
        first_event_time=first,
        last_event_time=last,
        rejected=parsed.rejected,
        unknown_columns=parsed.unknown_columns,
    )


def _batch(files: list[FileResult]) -> FeedBatch:
    frames = [result.records for result in files if result.records is not None]
    feed_key = files[0].feed_key
    assert feed_key is not None
    records = frames[0] if len(frames) == 1 else pl.concat(frames)
    return FeedBatch(feed_key.feed, files, records)


def _quarantine(objects: ObjectStore, result: FileResult) -> None:
    version = result.version
    info = ObjectInfo(version.key, version.etag, result.size, version.landed_at)
    rows = [
        {"row": row.row, "reason": row.reason, "text": row.text}
        for row in result.rejected[:QUARANTINE_ROWS_LISTED]
    ]
    reason = result.error or _rejects_text(result.rejected) or "refused"
    objects.quarantine(info, reason, rows, datetime.now(UTC))


def _rejects_text(rejected: Sequence[RejectedRow]) -> str | None:
    if not rejected:
        return None
    bad = [row for row in rejected if not row.duplicate]
    duplicates = len(rejected) - len(bad)
    texts = [
        f"{len(bad)} rows rejected; the first, row {bad[0].row}: {bad[0].reason}" if bad else "",
        f"{duplicates} duplicate rows, of which the last stays" if duplicates else "",
    ]
    return "; ".join(text for text in texts if text)
