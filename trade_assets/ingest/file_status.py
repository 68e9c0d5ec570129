"""What Redis is told of files beside their records: the newest one, what time they cover, and
columns that nobody knows. The same for the stream and for a rerun.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from trade_assets.datasets.dataset import ParsedDataset
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.ingest.reading import FileResult, newest_file
from trade_assets.logs import get_logger

log = get_logger(__name__)


def note_files(
    stores: IngestStores,
    dataset: ParsedDataset,
    files: Sequence[FileResult],
    now: datetime,
    lags: Mapping[str, float],
    repair: bool = False,
) -> None:
    """Note readable files of a data set; noting them again changes nothing.

    Args:
        lags: seconds from landing to readable, by file key; of files that are read again none.
        repair: only what is newer than, or not in, Redis becomes the data set's newest file.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    newest = newest_file(files)
    if newest is not None:
        event_time, key = newest
        stores.latest.write_status(dataset, key, event_time, now, lags.get(key), repair)
    if dataset.gap_seconds is not None:
        times = [file.last_event_time for file in files if file.last_event_time is not None]
        stores.coverage.add(dataset, times, dataset.gap_seconds)
    _note_columns(stores, dataset, files)


def _note_columns(
    stores: IngestStores, dataset: ParsedDataset, files: Sequence[FileResult]
) -> None:
    """Say once of every column that the data set does not know that it came."""
    found = {name: file.version.key for file in reversed(files) for name in file.unknown_columns}
    if not found:
        return
    for name in stores.unknown_columns.note(dataset, list(found)):
        log.warning(
            "unknown column, kept in extra", feed=dataset.path, column=name, file=found[name]
        )
