"""From raw documents to records: the one way, for a slot as it comes and for hours read again.

The names of instruments come from the slot's own document of instruments, else from the newest one
before it within the hour: so that reading a document again gives the same records.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import ParsedFile, RejectedRow, to_records
from trade_assets.errors import UnparsableFileError
from trade_assets.ingest.reading import QUARANTINE_ROWS_LISTED, describe
from trade_assets.logs import get_logger
from trade_assets.stores.s3.objects import ObjectInfo, ObjectStore
from trade_assets.tt.datasets import instrument_names
from trade_assets.tt.formats.snapshot import InstrumentNames, Snapshot
from trade_assets.tt.formats.snapshot_keys import parse_snapshot_key
from trade_assets.tt.kinds import INSTRUMENTS
from trade_assets.tt.slots.raw_documents import (
    UNREADABLE_BEFORE,
    SnapshotDocuments,
    StoredDocument,
    hour_of,
)

log = get_logger(__name__)

BATCH_DOCUMENTS: Final = 24
"""Documents in memory at a time: 1,000 orders each are 24,000 rows."""


@dataclass(frozen=True)
class SlotRecords:
    """What a document came to.

    Attributes:
        slot: of its key.
        info: the object.
        records: `record_schema` of the data set; None if the document cannot be read.
        rejected: rows of it that are no records.
        unknown_columns: fields that the data set does not know.
        error: why it cannot be read.
    """

    slot: datetime
    info: ObjectInfo
    records: pl.DataFrame | None
    rejected: tuple[RejectedRow, ...] = ()
    unknown_columns: tuple[str, ...] = ()
    error: str = ""

    @property
    def key(self) -> str:
        """The document's key."""
        return self.info.key

    @property
    def is_damaged(self) -> bool:
        """Whether it needs a look: it, or a row of it, could not be read."""
        return self.records is None or any(not row.duplicate for row in self.rejected)


class RecordReader:
    """Reads documents of any kind as records. Not thread-safe."""

    def __init__(self, documents: SnapshotDocuments) -> None:
        self._documents = documents
        self._known_names: dict[str, InstrumentNames] = {}

    def read_keys(self, snapshot: Snapshot, keys: Sequence[str]) -> Iterator[SlotRecords]:
        """Documents by their keys, in that order; a few in memory at a time.

        Raises:
            StoreUnavailableError: the bucket cannot be reached.
        """
        for start in range(0, len(keys), BATCH_DOCUMENTS):
            loaded = self._documents.load(keys[start : start + BATCH_DOCUMENTS])
            yield from self.read(snapshot, loaded)

    def read(self, snapshot: Snapshot, loaded: Sequence[StoredDocument]) -> list[SlotRecords]:
        """Documents that are in memory, of ascending slots, as records.

        Raises:
            StoreUnavailableError: the bucket cannot be reached.
        """
        names = self._names(snapshot, loaded)
        return [_records(snapshot, stored, names[stored.slot]) for stored in loaded]

    def before(self, snapshot: Snapshot, slot: datetime) -> SlotRecords | None:
        """The newest document of an earlier slot that can be read as records; None if there is none
        (within `UNREADABLE_BEFORE`).

        Raises:
            StoreUnavailableError: the bucket cannot be reached.
        """
        for _ in range(UNREADABLE_BEFORE):
            stored = self._documents.before(snapshot.kind, slot)
            if stored is None:
                return None
            (item,) = self.read(snapshot, [stored])
            if item.records is not None:
                return item
            slot = stored.slot
        return None

    def _names(
        self, snapshot: Snapshot, loaded: Sequence[StoredDocument]
    ) -> dict[datetime, InstrumentNames]:
        """The names by slot."""
        if snapshot.kind == INSTRUMENTS:
            return {item.slot: {} for item in loaded}
        key_of = {item.slot: self._documents.key(INSTRUMENTS, item.slot) for item in loaded}
        names = self._load_names(key_of.values())
        key_of |= self._older_keys([slot for slot, key in key_of.items() if key not in names])
        names |= self._load_names(key_of.values())
        return {slot: names.get(key, {}) for slot, key in key_of.items()}

    def _older_keys(self, slots: Sequence[datetime]) -> dict[datetime, str]:
        """Of slots without a document of instruments the key of the newest one before within the
        hour; "" if there is none."""
        hours = {hour_of(slot) for slot in slots}
        listed = {hour: self._documents.hour_keys(INSTRUMENTS, hour) for hour in hours}
        own = {slot: self._documents.key(INSTRUMENTS, slot) for slot in slots}
        return {
            slot: max((key for key in listed[hour_of(slot)] if key < own[slot]), default="")
            for slot in slots
        }

    def _load_names(self, keys: Iterable[str]) -> dict[str, InstrumentNames]:
        """The names of those documents that are there, by key."""
        wanted = sorted({key for key in keys if key})
        unknown = [key for key in wanted if key not in self._known_names]
        found = {item.key: _instrument_names(item) for item in self._documents.load(unknown)}
        names = {key: self._known_names[key] for key in wanted if key in self._known_names} | found
        # Documents never change; the ones just used are the ones that are used again.
        self._known_names = names if names else self._known_names
        return names


def rejects_text(rejected: Sequence[RejectedRow]) -> str:
    """Rejected rows in a sentence; empty if there are none but duplicates."""
    bad = [row for row in rejected if not row.duplicate]
    if not bad:
        return ""
    return f"{len(bad)} rows rejected; the first, row {bad[0].row}: {bad[0].reason}"


def quarantine(objects: ObjectStore, item: SlotRecords, at: datetime) -> None:
    """Set a damaged document aside for people, with its bad rows; the original stays.

    Raises:
        StoreUnavailableError: the bucket cannot be reached.
    """
    rows = [
        {"row": row.row, "reason": row.reason, "text": row.text}
        for row in item.rejected[:QUARANTINE_ROWS_LISTED]
    ]
    objects.quarantine(item.info, item.error or rejects_text(item.rejected), rows, at)


def _records(snapshot: Snapshot, stored: StoredDocument, names: InstrumentNames) -> SlotRecords:
    if stored.document is None:
        return SlotRecords(stored.slot, stored.info, None, error=stored.error)
    try:
        parsed: ParsedFile = snapshot.read(stored.document, names)
    except UnparsableFileError as error:
        return SlotRecords(stored.slot, stored.info, None, error=str(error))
    except Exception as error:
        # A reader that trips over a document is a defect of ours, and costs that document only.
        log.exception("reader failed", dataset=snapshot.path, file=stored.key)
        return SlotRecords(stored.slot, stored.info, None, error=describe(error))
    return SlotRecords(
        stored.slot,
        stored.info,
        to_records(snapshot, parsed, stored.key),
        parsed.rejected,
        parsed.unknown_columns,
    )


def _instrument_names(stored: StoredDocument) -> InstrumentNames:
    """The names of a document of instruments; none if it cannot be read."""
    if stored.document is None:
        return {}
    try:
        return instrument_names(stored.document)
    except Exception:
        log.exception("names of instruments cannot be read", file=stored.key)
        return {}


def slot_of_key(key: str) -> datetime:
    """The slot of a raw document's key."""
    return parse_snapshot_key(key).slot
