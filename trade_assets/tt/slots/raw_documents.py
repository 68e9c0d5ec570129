"""Raw documents in the bucket: put, get, and found again by slot.

What they mean is for `slot_records`. A document is put once and never replaced. The document
before a slot is looked for where it is likely first, then backwards from folder to folder: however
old it is, a few listings do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from trade_assets.errors import (
    ObjectMissingError,
    TradeAssetsError,
    TransientError,
    UnknownFeedError,
    UnparsableFileError,
)
from trade_assets.stores.s3.objects import ObjectBytes, ObjectInfo, ObjectStore
from trade_assets.tt.formats.document import read_document, write_document
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.formats.snapshot import Manifest, SnapshotDocument
from trade_assets.tt.formats.snapshot_keys import (
    parse_snapshot_key,
    snapshot_hour_prefix,
    snapshot_key,
    snapshot_prefix,
)

CONTENT_ENCODING: Final = "gzip"
LISTED_AFTER: Final = 2000
"""Most documents behind a slot that are listed: two requests."""
UNREADABLE_BEFORE: Final = 20
"""So many unreadable documents in a row are passed over when looking for the one before."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A raw document as it lies in the bucket.

    Attributes:
        info: the object.
        slot: of its key.
        document: None if it cannot be read.
        error: why it cannot be read.
    """

    info: ObjectInfo
    slot: datetime
    document: SnapshotDocument | None
    error: str = ""

    @property
    def key(self) -> str:
        """Its key."""
        return self.info.key


class SnapshotDocuments:
    """The raw documents of one environment. Thread-safe.

    Every method raises StoreUnavailableError while the bucket cannot be reached.
    """

    def __init__(self, objects: ObjectStore, environment: str) -> None:
        self._objects = objects
        self._environment = environment

    def key(self, kind: str, slot: datetime) -> str:
        """Where the document of a slot lies, or would."""
        return snapshot_key(self._environment, kind, slot)

    def has_key(self, kind: str, key: str) -> bool:
        """Whether a key is of a document of this kind, and of this environment."""
        return key.startswith(snapshot_prefix(self._environment, kind))

    def put(self, document: SnapshotDocument) -> StoredDocument:
        """Store a document, unless its slot has one already: then that one is returned.

        Raises:
            UnparsableFileError: a body is no JSON.
        """
        manifest = document.manifest
        key = self.key(manifest.kind, manifest.slot)
        data = write_document(document)
        etag = self._objects.put_new(key, data, CONTENT_ENCODING)
        # When it landed is for the bucket to say: the clock here may be the one that is wrong.
        info = None if etag is None else self._objects.head(key)
        if info is None:
            # The first try of a put may have been answered by a lost connection.
            return self._read(self._objects.get(key), manifest.slot)
        return StoredDocument(info, manifest.slot, document)

    def get(self, kind: str, slot: datetime) -> StoredDocument | None:
        """The document of a slot; None if there is none."""
        try:
            return self._read(self._objects.get(self.key(kind, slot)), slot)
        except ObjectMissingError:
            return None

    def load(self, keys: Sequence[str]) -> list[StoredDocument]:
        """Documents by their keys, in that order; one that is gone meanwhile is left out."""
        loaded = self._objects.get_many(keys) if keys else []
        for item in loaded:
            if isinstance(item, TransientError):
                raise item
        found = (item for item in loaded if not isinstance(item, TradeAssetsError))
        return [self._read(item, parse_snapshot_key(item.info.key).slot) for item in found]

    def hour_keys(self, kind: str, hour: datetime) -> list[str]:
        """Keys of the documents of the UTC hour in which `hour` lies, by slot."""
        prefix = snapshot_hour_prefix(self._environment, kind, hour)
        return [info.key for info in self._objects.list_after(prefix) if _is_known(info.key)]

    def infos_after(self, kind: str, slot: datetime) -> list[ObjectInfo]:
        """Documents of later slots as the bucket lists them, by slot; at most `LISTED_AFTER`."""
        prefix = snapshot_prefix(self._environment, kind)
        listed = islice(self._objects.list_after(prefix, self.key(kind, slot)), LISTED_AFTER)
        return [info for info in listed if _is_known(info.key)]

    def keys_before(self, kind: str, slot: datetime) -> Iterator[str]:
        """Keys of documents of earlier slots, from the newest to the oldest, looked for lazily."""
        first = self.key(kind, slot)
        listed = self.hour_keys(kind, slot)
        yield from reversed([key for key in listed if key < first])
        prefix = snapshot_prefix(self._environment, kind)
        hour = snapshot_hour_prefix(self._environment, kind, slot)
        for day in reversed(self._objects.folders(prefix)):
            if day > hour:
                continue
            for folder in reversed(self._objects.folders(day)):
                if folder < hour:
                    keys = [info.key for info in self._objects.list_after(folder)]
                    yield from reversed([key for key in keys if _is_known(key)])

    def before(self, kind: str, slot: datetime) -> StoredDocument | None:
        """The newest readable document of an earlier slot; None if there is none."""
        likely = self.get(kind, slot - SLOT)
        if likely is not None and likely.document is not None:
            return likely
        for key in islice(self.keys_before(kind, slot), UNREADABLE_BEFORE):
            for stored in self.load([key]):
                if stored.document is not None:
                    return stored
        return None

    def between(self, kind: str, after: str, slot: datetime, limit: int) -> list[str]:
        """Keys behind the key `after` and before a slot: the newest `limit` of them, by slot."""
        if after >= self.key(kind, slot - SLOT):
            return []
        newest: list[str] = []
        for key in self.keys_before(kind, slot):
            if key <= after or len(newest) == limit:
                break
            newest.append(key)
        return newest[::-1]

    def _read(self, loaded: ObjectBytes, slot: datetime) -> StoredDocument:
        info = loaded.info
        try:
            document = read_document(loaded.data, info.key.rpartition("/")[2])
            _check(document.manifest, parse_snapshot_key(info.key).snapshot.kind, slot)
        except UnparsableFileError as error:
            return StoredDocument(info, slot, None, str(error))
        return StoredDocument(info, slot, document)


def _is_known(key: str) -> bool:
    """Whether a key is a document's: somebody's file in the folder hurts nobody."""
    try:
        parse_snapshot_key(key)
    except UnknownFeedError:
        return False
    return True


def _check(manifest: Manifest, kind: str, slot: datetime) -> None:
    """A document under another one's key is as bad as one that cannot be read."""
    if (manifest.kind, manifest.slot) != (kind, slot):
        reason = f"it is the document of {manifest.kind} at {manifest.slot:%Y-%m-%dT%H:%M:%SZ}"
        raise UnparsableFileError(f"{kind} at {slot:%Y-%m-%dT%H:%M:%SZ}", reason)
