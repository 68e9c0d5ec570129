"""The raw documents of certain hours: what a rerun of hour partitions reads. Never a remote API.

The same documents, read by the same reader with the same names, make the same records and the same
changes as when they were taken.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from trade_assets.datasets.keys import partition_hour
from trade_assets.ingest.quality import find_symbols
from trade_assets.ingest.reading import event_time_bounds
from trade_assets.stores.connections import Stores
from trade_assets.stores.retrying import retrying
from trade_assets.tt.formats.half_minutes import hour_slots
from trade_assets.tt.formats.snapshot import SLOT, Snapshot
from trade_assets.tt.slots.changes import changes_since
from trade_assets.tt.slots.document_records import RecordReader, SlotRecords, quarantine
from trade_assets.tt.slots.open_hours import OpenHours, open_hours
from trade_assets.tt.slots.raw_documents import SnapshotDocuments
from trade_assets.tt.slots.results import SnapshotFigures
from trade_assets.tt.slots.written_until import note_written, written_until


@dataclass(frozen=True)
class Picture:
    """A replaced set as one slot saw it: all its records, none if the set is empty."""

    slot: datetime
    file_key: str
    records: pl.DataFrame


class SnapshotHour:
    """Documents of one kind by hour, read again from S3 at every iteration.

    Args:
        stores: where the documents are; their settings say of which environment.
        snapshot: the kind.
        partitions: keys of hour partitions, ascending.
        now: the time; slots after it are not missing yet.

    Every method that reads raises StoreUnavailableError if S3 stays away for longer than the bound
    of retries.
    """

    def __init__(
        self,
        stores: Stores,
        snapshot: Snapshot,
        partitions: Sequence[str],
        now: datetime | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.figures = SnapshotFigures(snapshot, partitions[-1] if partitions else "")
        self._stores = stores
        self._hours = [partition_hour(partition) for partition in partitions]
        environment = stores.settings.tt.environment.value
        self._documents = SnapshotDocuments(stores.objects, environment)
        self._reader = RecordReader(self._documents)
        self._again = retrying(stores.settings.stores.retry_seconds)
        self._damaged: dict[str, SlotRecords] = {}
        self._sound: set[str] = set()
        self._note_missing(now or datetime.now(UTC))

    def look(self) -> SnapshotFigures:
        """Read every document once, for the figures of them all; nothing is written."""
        for _ in self.slots():
            pass
        return self.figures

    def slots(self) -> Iterator[SlotRecords]:
        """Every document of the hours as records, by slot; unreadable ones too."""
        for hour in self._hours:
            for item in self._reader.read_keys(self.snapshot, self._hour_keys(hour)):
                self._count(item)
                yield item

    def frames(self) -> Iterator[pl.DataFrame]:
        """All records, a document at a time: what `latest` is offered of a set that grows."""
        for item in self.slots():
            if item.records is not None and not item.records.is_empty():
                yield item.records

    def changes(self) -> Iterator[pl.DataFrame]:
        """The records that differ from those of the slot before, a document at a time: what the
        history holds."""
        for hour in self._hours:
            yield from self._hour_changes(hour)

    def pictures(self) -> Iterator[Picture]:
        """The set as every slot saw it, oldest first: of a replaced set."""
        for item in self.slots():
            if item.records is not None:
                yield Picture(item.slot, item.key, item.records)

    def last_picture(self) -> Picture | None:
        """The set as the newest slot of the hours saw it: all that Redis can hold of them."""
        for hour in reversed(self._hours):
            for key in reversed(self._hour_keys(hour)):
                for item in self._reader.read_keys(self.snapshot, [key]):
                    if item.records is not None:
                        return Picture(item.slot, item.key, item.records)
        return None

    def account(self) -> None:
        """Quarantine what cannot be read and take out of it what can; note how far the stores are.

        To be called when both stores have the records: the next slot goes on from what is noted.
        """
        now = datetime.now(UTC)
        for item in self._damaged.values():
            self._again(quarantine, self._stores.objects, item, now)
        if self._sound:
            self._again(self._stores.objects.release, sorted(self._sound))
        self._again(self._note_written)

    def _note_written(self) -> None:
        """Note the last document of these hours, unless documents before them are in no store yet:
        those are for the next slot, which would pass them over."""
        latest, kind = self._stores.latest, self.snapshot.kind
        noted = written_until(latest, self.snapshot)
        until = noted if self._documents.has_key(kind, noted) else ""
        for hour in self._hours:
            keys = [
                key
                for key in self._documents.hour_keys(kind, hour)
                if key <= self.figures.last_file
            ]
            if until and self._documents.between(kind, until, hour, 1):
                break
            until = max([until, *keys])
        if until:
            note_written(latest, self.snapshot, until)

    def _hour_changes(self, hour: datetime) -> Iterator[pl.DataFrame]:
        keys = self._hour_keys(hour)
        if not keys:
            return
        before: SlotRecords | None = self._again(self._reader.before, self.snapshot, hour)
        for item in self._reader.read_keys(self.snapshot, keys):
            self._count(item)
            if item.records is None:
                continue
            changes = changes_since(before, item)
            if not changes.is_empty():
                yield changes
            before = item

    def _hour_keys(self, hour: datetime) -> list[str]:
        keys: list[str] = self._again(self._documents.hour_keys, self.snapshot.kind, hour)
        return keys

    def _count(self, item: SlotRecords) -> None:
        """Take a document into the figures, once."""
        if item.key in self._sound or item.key in self._damaged:
            return
        figures = self.figures
        figures.documents += 1
        figures.size += item.info.size
        figures.rejected += len(item.rejected)
        figures.duplicates += sum(row.duplicate for row in item.rejected)
        figures.last_file = max(figures.last_file, item.key)
        figures.unknown_columns = sorted({*figures.unknown_columns, *item.unknown_columns})
        if item.is_damaged:
            self._damaged[item.key] = item
        else:
            self._sound.add(item.key)
        if item.records is None:
            figures.quarantined += 1
            return
        figures.rows += item.records.height
        figures.span(*event_time_bounds(item.records))
        if not item.records.is_empty():
            figures.sample = item.records.head(5)
            figures.symbols.add(find_symbols(item.records))

    def _note_missing(self, now: datetime) -> None:
        hours: OpenHours = open_hours(self._stores.settings)
        for hour in self._hours:
            due = [
                slot
                for slot in hour_slots(hour)
                # The slot of this half minute may be on its way.
                if slot + SLOT <= now and hours.closed_reason(slot) is None
            ]
            self.figures.slots_due += len(due)
            there = set(self._hour_keys(hour))
            self.figures.missing += [
                slot for slot in due if self._documents.key(self.snapshot.kind, slot) not in there
            ]
