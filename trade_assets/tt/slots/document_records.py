"""From raw documents to records: the one way, for a slot as it comes and for hours read again.

The names of instruments come from the slot's own document of instruments, else from the newest one
before it within the hour: so that reading a document again gives the same records. A snapshot
repeats what is still true; the history holds a record when it is new or differs.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import polars as pl

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, ROW, TRADING_DATE
from trade_assets.ingest.reading import FileResult, FileVersion, accepted, refused
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.tt.datasets import INSTRUMENTS
from trade_assets.tt.formats.instruments_snapshot import instrument_names
from trade_assets.tt.formats.snapshot import InstrumentNames, Snapshot
from trade_assets.tt.formats.snapshot_keys import parse_snapshot_key
from trade_assets.tt.slots.raw_documents import (
    UNREADABLE_BEFORE,
    SnapshotDocuments,
    StoredDocument,
    hour_of,
)

log = get_logger(__name__)

BATCH_DOCUMENTS: Final = 24
"""Documents in memory at a time: 1,000 orders each are 24,000 rows."""


_NEVER_COMPARED: Final = (FILE_KEY, ROW, TRADING_DATE)
"""They differ from slot to slot whatever the record says; the trading date is that of the event
time."""


@dataclass(frozen=True)
class SlotRecords:
    """What a document came to.

    Attributes:
        slot: of its key.
        file: the document as any other file that was read; no `records` if it cannot be read.
    """

    slot: datetime
    file: FileResult

    @property
    def key(self) -> str:
        """The document's key."""
        return self.file.version.key

    @property
    def records(self) -> pl.DataFrame | None:
        """`record_schema` of the data set; None if the document cannot be read."""
        return self.file.records


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


def changes_since(before: SlotRecords | None, item: SlotRecords) -> pl.DataFrame:
    """The records of a readable document that differ from those of the one before it."""
    assert item.records is not None
    if before is None:
        return item.records
    return changed_records(item.records, item.slot, before.records, before.slot)


def changed_records(
    records: pl.DataFrame, slot: datetime, before: pl.DataFrame | None, slot_before: datetime
) -> pl.DataFrame:
    """The records that the slot before did not have with the same content, in their order.

    Event times are compared too, unless they are but the slots. `before` is None where there was
    no slot before: then everything is new.
    """
    if before is None or before.is_empty() or records.is_empty():
        return records
    left_out = set(_NEVER_COMPARED)
    if _is_timed(records, slot) and _is_timed(before, slot_before):
        left_out.add(EVENT_TIME)
    compared = [name for name in records.columns if name not in left_out]
    return records.join(
        before.select(compared), on=compared, how="anti", nulls_equal=True, maintain_order="left"
    )


def _records(snapshot: Snapshot, stored: StoredDocument, names: InstrumentNames) -> SlotRecords:
    info = stored.info
    version = FileVersion(info.key, info.etag, info.landed_at)
    read = FileResult(version, info.size, snapshot, f"{hour_of(stored.slot):{PARTITION_FORMAT}}")
    if stored.document is None:
        return SlotRecords(stored.slot, _damaged(read, stored.error))
    try:
        parsed = snapshot.read(stored.document, names)
    except Exception as error:
        # Nobody reads a document of a slot again and again: also one that our reader trips over
        # is set aside for people.
        return SlotRecords(stored.slot, _damaged(read, refused(read, error).error))
    return SlotRecords(stored.slot, accepted(read, parsed))


def _damaged(read: FileResult, error: str | None) -> FileResult:
    return replace(read, state=FileState.QUARANTINED, error=error)


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


def _is_timed(records: pl.DataFrame, slot: datetime) -> bool:
    return bool((records[EVENT_TIME] == slot).all())
