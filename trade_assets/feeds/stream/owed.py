"""What a store is owed: files whose records it did not get while it was away, until it has them.

A marker in the bucket for some files at a time, `owed/<store>/<time>-<id>.json`, named by when the
oldest of them landed. The bucket is where the files are, so whoever can read a file can owe it; no
message waits in the queue for it, and no receive is spent. What two stores are owed of the same
files has one name under both.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import uuid4

import orjson

from trade_assets.datasets.keys import OWED_PREFIX
from trade_assets.ingest.reading import FileVersion
from trade_assets.logs import get_logger
from trade_assets.stores.s3.objects import LIST_PAGE, ObjectStore
from trade_assets.stores.serialise import iso_text

log = get_logger(__name__)


class RecordStore(StrEnum):
    """The stores of records, as people read them."""

    LATEST = "Redis"
    HISTORY = "DynamoDB"


@dataclass(frozen=True, slots=True)
class Debt:
    """Files that a store is owed, and the key of their marker."""

    store: RecordStore
    key: str
    versions: tuple[FileVersion, ...]


@dataclass(frozen=True, slots=True)
class OwedSummary:
    """How much a store is owed: `markers` of them, at most `LIST_PAGE` are counted; the oldest file
    landed at `since`."""

    store: RecordStore
    markers: int
    since: datetime


class OwedFiles:
    """The markers. Thread-safe; errors are those of the bucket."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def owe(self, owed: Mapping[RecordStore, Sequence[FileVersion]]) -> None:
        """Note files for the stores that lack them: for good once this returns.

        Raises:
            StoreUnavailableError: the bucket cannot be reached.
        """
        both = _in_all(owed) if len(owed) > 1 else []
        name = _name(both)
        for store, versions in owed.items():
            alone = [version for version in versions if version not in both]
            for part, its_name in ((both, name), (alone, _name(alone))):
                if part:
                    self._objects.put(f"{_prefix(store)}{its_name}", _marker(part))

    def keys(self, store: RecordStore, limit: int = LIST_PAGE) -> list[str]:
        """Keys of the markers of a store, the oldest first; one request."""
        return [info.key for info in islice(self._objects.list_after(_prefix(store)), limit)]

    def any(self) -> bool:
        """Whether a store is owed anything."""
        return any(self.keys(store, 1) for store in RecordStore)

    def read(self, store: RecordStore, key: str) -> Debt:
        """A marker.

        Raises:
            ObjectMissingError: it was settled meanwhile.
        """
        stored = orjson.loads(self._objects.get(key).data)
        versions = tuple(
            FileVersion(item["key"], item["etag"], datetime.fromisoformat(item["landed_at"]))
            for item in stored["versions"]
        )
        return Debt(store, key, versions)

    def is_last(self, debt: Debt) -> bool:
        """Whether no other store is owed the same files."""
        others = [store for store in RecordStore if store is not debt.store]
        name = debt.key.rpartition("/")[2]
        return not any(self._objects.head(f"{_prefix(store)}{name}") for store in others)

    def settle(self, debts: Sequence[Debt]) -> None:
        """The store has it all."""
        self._objects.remove([debt.key for debt in debts])

    def summary(self) -> list[OwedSummary]:
        """How much each store is owed; nothing of those that are owed nothing."""
        found = []
        for store in RecordStore:
            keys = self.keys(store)
            if keys:
                since = keys[0].rpartition("/")[2].partition("Z-")[0]
                found.append(OwedSummary(store, len(keys), datetime.fromisoformat(f"{since}Z")))
        return found


def _in_all(owed: Mapping[RecordStore, Sequence[FileVersion]]) -> list[FileVersion]:
    first, *others = owed.values()
    return [version for version in first if all(version in other for other in others)]


def _name(versions: Sequence[FileVersion]) -> str:
    oldest = min((version.landed_at for version in versions), default=None)
    return f"{iso_text(oldest) if oldest else ''}-{uuid4().hex[:12]}.json"


def _prefix(store: RecordStore) -> str:
    return f"{OWED_PREFIX}{store.value.lower()}/"


def _marker(versions: Sequence[FileVersion]) -> bytes:
    described: Sequence[Any] = [
        {"key": item.key, "etag": item.etag, "landed_at": iso_text(item.landed_at)}
        for item in versions
    ]
    return orjson.dumps({"versions": described})
