"""Which newest records are asked for, and what they are now: by key, by a part of the key, all."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trade_assets.datasets.column_names import EVENT_TIME, RECORD_KEY
from trade_assets.datasets.described import Described
from trade_assets.readers.typed_records import Record, typed_record
from trade_assets.stores.redis.latest_reader import LatestReader


@dataclass(frozen=True, slots=True)
class Selected:
    """Records that were selected, `matching` before the limit, and keys that have no record.

    `picture_time` is the time of the one picture that all of them are of, where the data set is
    replaced as a whole.
    """

    records: list[Record]
    matching: int
    missing: list[str]
    picture_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What has become of keys: the records that they have now, and those that are gone."""

    records: list[Record]
    gone: list[str]


class Selection:
    """Which records of a feed are asked for."""

    def __init__(
        self,
        store: LatestReader,
        feed: Described,
        keys: Sequence[str] = (),
        like: str | None = None,
        limit: int | None = None,
    ) -> None:
        self.feed = feed
        self.limit = limit
        self._store = store
        self._keys = tuple(dict.fromkeys(keys))
        self._like = (like or "").lower()

    def read(self, limit: int | None) -> Selected:
        """The newest records: keys in the order asked, else newest first and then by key."""
        found, picture_time = self._find(self._keys or None)
        records = [record for record in found if self._is_like(str(record[RECORD_KEY]))]
        if not self._keys:
            records.sort(key=lambda record: str(record[RECORD_KEY]))
            records.sort(key=lambda record: str(record[EVENT_TIME]), reverse=True)
        there = {record[RECORD_KEY] for record in records}
        missing = [k for k in self._keys if self._is_like(k) and k not in there]
        return Selected(records[:limit], len(records), missing, picture_time)

    def changed(self, record_keys: Iterable[str]) -> Changed:
        """What has become of those keys that are asked for."""
        asked = [k for k in record_keys if self._is_like(k) and k in (self._keys or (k,))]
        records = self._find(asked)[0] if asked else []
        there = {record[RECORD_KEY] for record in records}
        return Changed(records, [key for key in asked if key not in there])

    def _find(self, keys: Sequence[str] | None) -> tuple[list[Record], datetime | None]:
        """Records of keys (None: of all), and the time of the picture if they are of one."""
        if not self.feed.replaced:
            wanted = self._store.record_keys(self.feed) if keys is None else keys
            return self._typed(self._store.read(self.feed, filter(self._is_like, wanted))), None
        picture = self._store.read_set(self.feed)
        if picture is None:
            return [], None
        by_key = {record[RECORD_KEY]: record for record in picture.records}
        chosen = by_key if keys is None else [key for key in keys if key in by_key]
        return self._typed(by_key[key] for key in chosen), picture.event_time

    def _typed(self, records: Iterable[Mapping[str, str]]) -> list[Record]:
        return [typed_record(self.feed, record) for record in records]

    def _is_like(self, key: str) -> bool:
        return self._like in key.lower()
