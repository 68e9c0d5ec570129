"""From file versions to records: read, parse, and account for every file and row.

Every way into the stores goes through here: the stream and the rerun of a partition by
`read_files`, snapshots by `accepted` and `refused` with a reading of their own. Nothing is written.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import ParsedDataset, to_records
from trade_assets.datasets.keys import parse_feed_key
from trade_assets.datasets.records import EVENT_TIME, RECORD_KEY, ROW, ParsedFile, RejectedRow
from trade_assets.errors import (
    ObjectMissingError,
    StoreRejectedError,
    TradeAssetsError,
    TransientError,
    UnknownFeedError,
    UnparsableFileError,
)
from trade_assets.ingest.isolation import Portion
from trade_assets.logs import get_logger
from trade_assets.stores.connections import StoreBundle
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.s3.object_versions import FormerVersion, ObjectVersions
from trade_assets.stores.s3.objects import ObjectBytes
from trade_assets.stores.serialise import iso_text

log = get_logger(__name__)

DATED: Final = (RECORD_KEY, EVENT_TIME)
"""Columns of `FileResult.ahead`."""


@dataclass(frozen=True, slots=True)
class FileVersion:
    """A file version to ingest: as announced by a notification, or as listed. `version_id` is S3's,
    where it is known."""

    key: str
    etag: str
    landed_at: datetime
    version_id: str = field(default="", compare=False)

    def lag_seconds(self, now: datetime) -> float:
        """Seconds from its landing to `now`; never negative, whatever the clocks say."""
        return max((now - self.landed_at).total_seconds(), 0.0)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What reading one file version came to.

    Attributes:
        version: what was read: of a key that was rewritten meanwhile, the newer one.
        size: bytes of it.
        dataset: whose records it has; None where its key names none.
        partition: Dagster's key of the hour in which it landed.
        records: `record_schema` of the data set; None if there are none to write.
        rows_stored: how many they are; `rows_unchanged` of them say what the history has already.
        rejected: rows of it that are no records.
        unknown_columns: columns or fields that the data set does not know.
        error: why it is not stored; None if it is.
        superseded: the ETag that was asked for, where a newer version was read.
        modified_at: LastModified of what was read; None if nothing was.
        ahead: key and time of the rows that are rejected since they are dated behind the landing;
            None if there are none.
    """

    version: FileVersion
    size: int = 0
    dataset: ParsedDataset | None = None
    partition: str = ""
    records: pl.DataFrame | None = None
    rows_stored: int = 0
    rows_unchanged: int = 0
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None
    rejected: tuple[RejectedRow, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    state: FileState = FileState.STORED
    error: str | None = None
    superseded: str | None = None
    modified_at: datetime | None = None
    ahead: pl.DataFrame | None = None

    @property
    def is_damaged(self) -> bool:
        """Whether the desk's file needs a look: it, or a row of it, could not be read."""
        return self.state is FileState.QUARANTINED or any(
            not row.duplicate for row in self.rejected
        )

    @property
    def states(self) -> bool:
        """Whether the file is a statement, if files of its data set are: something of it could be
        read, or it says clearly that there is nothing."""
        return self.state is FileState.STORED and (self.rows_stored > 0 or not self.is_damaged)

    def without_records(self) -> "FileResult":
        """The same file without its rows, for accounting when they are written."""
        return replace(self, records=None)

    def failed(self, error: Exception) -> "FileResult":
        """The same file after an error of its own."""
        return replace(
            self,
            records=None,
            rows_stored=0,
            rows_unchanged=0,
            first_event_time=None,
            last_event_time=None,
            rejected=(),
            state=FileState.FAILED,
            error=describe(error),
        )


@dataclass(frozen=True)
class FileBatch:
    """Readable files of one data set and all their records, in key order."""

    dataset: ParsedDataset
    files: list[FileResult]
    records: pl.DataFrame = field(repr=False)

    @property
    def portion(self) -> Portion:
        """The records, and when those of the files were written that are statements."""
        if self.dataset.statement is None:
            return Portion(self.records)
        return Portion(
            self.records,
            {
                file.version.key: file.modified_at
                for file in self.files
                if file.states and file.modified_at is not None
            },
        )


def read_files(stores: StoreBundle, versions: Sequence[FileVersion]) -> list[FileResult]:
    """Read and parse versions of the desk's files; one result each, whatever is wrong with a file.

    Raises:
        TransientError: S3 cannot be reached; nothing has been done.
    """
    loaded = stores.objects.get_many([version.key for version in versions])
    tolerance = stores.settings.arrival.ahead_seconds
    return [
        _result(version, item, tolerance) for version, item in zip(versions, loaded, strict=True)
    ]


def read_former(
    versions: ObjectVersions, wanted: Iterable[FormerVersion], tolerance_seconds: float
) -> Iterator[FileResult]:
    """Read and parse former versions of the desk's files, one by one; those that are gone by now
    are left out. `tolerance_seconds` as `accepted` has it.

    Raises:
        TransientError: S3 cannot be reached.
    """
    for former in wanted:
        try:
            loaded = versions.get(former)
        except StoreRejectedError as error:
            log.warning("former version not read", file=former.key, error=str(error))
            continue
        info = loaded.info
        version = FileVersion(info.key, info.etag, info.landed_at)
        found = FileResult(version, info.size, modified_at=info.landed_at)
        yield _parsed(found, loaded, tolerance_seconds)


def accepted(
    read: FileResult, parsed: ParsedFile, landed_at: datetime, tolerance_seconds: float
) -> FileResult:
    """A file of a data set that could be read, with its records.

    Rows that are dated later than a record can be are rejected: whether the clock of the desk, of
    the exchange or of a person was wrong, no later record would ever be newer than they.

    Args:
        landed_at: by the bucket's clock: every reading of the file comes to the same.
        tolerance_seconds: as `Dataset.latest_time` has it.
    """
    dataset = read.dataset
    assert dataset is not None
    latest_time = dataset.latest_time(landed_at, tolerance_seconds)
    _, last = event_time_bounds(parsed.frame)
    if last is not None and last > latest_time:
        read, parsed = _without_ahead(read, parsed, landed_at, latest_time)
    first, last = event_time_bounds(parsed.frame)
    return replace(
        read,
        records=to_records(dataset, parsed, read.version.key),
        rows_stored=parsed.frame.height,
        first_event_time=first,
        last_event_time=last,
        rejected=parsed.rejected,
        unknown_columns=parsed.unknown_columns,
    )


def refused(read: FileResult, error: Exception) -> FileResult:
    """A file that could not be read, with the reason.

    A parser that trips over a file is a defect of ours, and must cost that file only: it has
    failed, which may be tried again; a file that is no such file never gets better.
    """
    if isinstance(error, UnparsableFileError):
        return replace(read, state=FileState.QUARANTINED, error=str(error))
    path = read.dataset.path if read.dataset is not None else None
    log.error("parser failed", dataset=path, file=read.version.key, exc_info=error)
    return read.failed(error)


def by_dataset(results: Sequence[FileResult]) -> list[FileBatch]:
    """Readable results, data set by data set, files in the order of their keys."""
    groups: dict[str, list[FileResult]] = {}
    for result in sorted(results, key=lambda item: item.version.key):
        if result.records is not None and result.dataset is not None:
            groups.setdefault(result.dataset.path, []).append(result)
    return [_batch(files) for files in groups.values()]


def mark_refused(results: dict[str, FileResult], refused: Mapping[str, StoreRejectedError]) -> None:
    """Note in results by key what a store refuses (`Isolation.refused`): it has failed."""
    for key, error in refused.items():
        results[key] = results[key].failed(error)


def mark_unchanged(results: dict[str, FileResult], unchanged: Mapping[str, int]) -> None:
    """Note in results by key of how many rows earlier files stand for them in the history."""
    for key, rows in unchanged.items():
        results[key] = replace(results[key], rows_unchanged=rows)


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


def ahead_reason(dated: datetime, landed_at: datetime) -> str:
    """Why a row, or a file, that is dated behind its landing is refused."""
    return (
        f"is dated {iso_text(dated)}, {(dated - landed_at).total_seconds():.0f} s after its file "
        f"landed ({iso_text(landed_at)}): a clock or a name is wrong (TRADE_ASSETS_AHEAD_SECONDS)"
    )


def _without_ahead(
    read: FileResult, parsed: ParsedFile, landed_at: datetime, latest_time: datetime
) -> tuple[FileResult, ParsedFile]:
    """The file and its rows, those taken out that are dated behind `latest_time`."""
    is_ahead = pl.col(EVENT_TIME) > latest_time
    ahead = parsed.frame.filter(is_ahead)
    rejected = [
        RejectedRow(row, ahead_reason(dated, landed_at), key)
        for row, dated, key in ahead.select(ROW, EVENT_TIME, RECORD_KEY).iter_rows()
    ]
    kept = replace(
        parsed,
        frame=parsed.frame.filter(~is_ahead),
        rejected=tuple(sorted([*parsed.rejected, *rejected], key=lambda item: item.row)),
    )
    return replace(read, ahead=ahead.select(DATED)), kept


def _result(
    version: FileVersion, loaded: ObjectBytes | TradeAssetsError, tolerance_seconds: float
) -> FileResult:
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
    found = FileResult(
        read, loaded.info.size, superseded=superseded, modified_at=loaded.info.landed_at
    )
    return _parsed(found, loaded, tolerance_seconds)


def _parsed(read: FileResult, loaded: ObjectBytes, tolerance_seconds: float) -> FileResult:
    try:
        feed_key = parse_feed_key(read.version.key)
    except UnknownFeedError as error:
        return replace(read, state=FileState.QUARANTINED, error=str(error))
    feed, file_name = feed_key.feed, feed_key.file_name
    read = replace(read, dataset=feed, partition=feed_key.partition)
    try:
        if not feed.file_pattern.fullmatch(file_name):
            raise UnparsableFileError(file_name, f"not a file name of feed {feed.path}")
        parsed = feed.parse(loaded.data, file_name)
    except Exception as error:
        return refused(read, error)
    return accepted(read, parsed, loaded.info.landed_at, tolerance_seconds)


def _batch(files: list[FileResult]) -> FileBatch:
    frames = [result.records for result in files if result.records is not None]
    dataset = files[0].dataset
    assert dataset is not None
    records = frames[0] if len(frames) == 1 else pl.concat(frames)
    return FileBatch(dataset, files, records)
