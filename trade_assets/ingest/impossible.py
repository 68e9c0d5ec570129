"""What cannot be: records dated so far behind the landing of their file that nothing is ever newer.

They are rejected as they come (`reading.accepted`). A store that had taken them before is repaired
by a rerun of the hour in which their file landed: they leave the history, and the newest record
that can be takes their place in `latest`; the status and the covered time follow.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.ingest.reading import FileResult
from trade_assets.logs import get_logger
from trade_assets.stores.redis.record_versions import Version
from trade_assets.stores.serialise import iso_text, redis_fields, texts_of, typed_frame

log = get_logger(__name__)


@dataclass(frozen=True)
class TakenBack:
    """What a rerun took back: newest records in Redis, and items of the history."""

    latest: int = 0
    history: int = 0


class TakeBack:
    """Takes back what files of certain hours have frozen in the stores of a data set. The files are
    to be written again afterwards, to both stores.

    Args:
        dataset: that of the files, or one derived from it.
        files: all files of the hours, as they were read again.
        now: a record of a file of other hours cannot be dated later than this allows.
    """

    def __init__(
        self,
        stores: IngestStores,
        dataset: Dataset,
        files: Sequence[FileResult],
        now: datetime,
    ) -> None:
        self._stores = stores
        self._dataset = dataset
        self._ahead = [file for file in files if file.ahead is not None]
        tolerance = stores.settings.arrival.ahead_seconds
        self._limits = {
            file.version.key: dataset.latest_time(file.version.landed_at, tolerance)
            for file in files
        }
        # What is derived from impossible rows may itself be dated as by right: of their files
        # nothing is spared, since they are written again.
        self._limits |= {
            file.version.key: file.version.landed_at + timedelta(seconds=tolerance)
            for file in self._ahead
        }
        self._now_limit = dataset.latest_time(now, tolerance)

    def run(self) -> TakenBack:
        """Take back what there is; without impossible records this is one look at `latest`.

        Raises:
            StoreUnavailableError: a store cannot be reached; run it again.
        """
        versions = self._stores.corrections.versions(self._dataset)
        frozen = [item for item in versions if self._cannot_be(item.event_time, item.file_key)]
        keys = {version.record_key for version in frozen} | self._keys_of_files()
        if self._ahead:
            keys.update(version.record_key for version in versions)
        removed = self._clean_history(keys)
        taken = 0 if self._dataset.replaced else self._clean_latest(frozen)
        if isinstance(self._dataset, Feed):
            self._correct_status()
            self._correct_coverage()
        if taken or removed:
            log.warning(
                "took back records dated after their files landed",
                dataset=self._dataset.path, latest=taken, history=removed,
            )  # fmt: skip
        return TakenBack(taken, removed)

    def _cannot_be(self, event_time: str, file_key: str) -> bool:
        return event_time > iso_text(self._limits.get(file_key, self._now_limit))

    def _rows_of_files(self) -> Iterator[pl.DataFrame]:
        """The impossible rows of the files, if they are records of this data set."""
        for file in self._ahead:
            if file.ahead is not None and file.dataset is self._dataset:
                yield file.ahead

    def _keys_of_files(self) -> set[str]:
        return {key for rows in self._rows_of_files() for key in rows[RECORD_KEY]}

    def _clean_history(self, keys: Iterable[str]) -> int:
        limits = [self._limits[file.version.key] for file in self._ahead]
        since = min([*limits, self._now_limit])
        wrong = [record for key in sorted(keys) for record in self._impossible(key, since)]
        self._stores.history.remove(self._dataset, wrong)
        return len(wrong)

    def _impossible(self, record_key: str, since: datetime) -> Iterator[Mapping[str, Any]]:
        for record in self._stores.history.read(self._dataset, record_key, since=since):
            if self._cannot_be(record[EVENT_TIME], record[FILE_KEY]):
                yield record

    def _clean_latest(self, frozen: Sequence[Version]) -> int:
        """Put the newest records that can be in the place of others; a replaced set is put right
        by its next picture, whose guard knows what cannot be."""
        instead = {version: self._newest_possible(version.record_key) for version in frozen}
        return len(self._stores.corrections.replace(self._dataset, instead))

    def _newest_possible(self, record_key: str) -> Mapping[str, str] | None:
        """The newest record of a key that the history has and that can be, as Redis has it."""
        for record in self._stores.history.read(self._dataset, record_key):
            if not self._cannot_be(record[EVENT_TIME], record[FILE_KEY]):
                texts = texts_of(record)
                (fields,) = redis_fields(typed_frame(self._dataset, [texts]))
                flat = orjson.loads(fields)
                return dict(zip(flat[::2], flat[1::2], strict=True))
        return None

    def _correct_status(self) -> None:
        """A status of an impossible time becomes that of the newest record."""
        stored = self._stores.latest.status(self._dataset)
        dated, last_file = stored.get("last_event_time", ""), stored.get("last_file", "")
        if not self._cannot_be(dated, last_file):
            return
        versions = self._stores.corrections.versions(self._dataset)
        newest = max(((item.event_time, item.file_key) for item in versions), default=None)
        fields: Mapping[str, str] = {}
        if newest is not None:
            fields = {**stored, "last_event_time": newest[0], "last_file": newest[1]}
        self._stores.corrections.replace_status(self._dataset, stored, fields)

    def _correct_coverage(self) -> None:
        times = {time for rows in self._rows_of_files() for time in rows[EVENT_TIME]}
        if times:
            self._stores.coverage.take_back(self._dataset, times)
