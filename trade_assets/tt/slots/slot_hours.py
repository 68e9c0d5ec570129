"""The raw documents of certain hours: what a rerun of hour partitions reads. Never a remote API.

The same documents, read by the same reader with the same names, make the same records and the same
changes as when they were taken.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from trade_assets.datasets.keys import partition_hour
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.accounting import quarantine_damaged, release_sound
from trade_assets.ingest.hour_records import HourRecords, WholeSet, raise_failed
from trade_assets.ingest.reading import FileResult
from trade_assets.stores.expiry import expires
from trade_assets.tt.formats.slot_times import SLOT, hour_slots
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.open_hours import OpenHours, open_hours
from trade_assets.tt.slots.raw_documents import SnapshotDocuments
from trade_assets.tt.slots.results import SnapshotFigures
from trade_assets.tt.slots.slot_log import never_due
from trade_assets.tt.slots.slot_notes import note_shown, note_written, written_until
from trade_assets.tt.slots.slot_records import RecordReader, SlotRecords
from trade_assets.tt.tt_stores import TtStores

HOUR: Final = timedelta(hours=1)


class SnapshotHour(HourRecords):
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
        stores: TtStores,
        snapshot: Snapshot,
        partitions: Sequence[str],
        now: datetime | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._figures = SnapshotFigures(snapshot, partitions[-1] if partitions else "")
        self._stores = stores
        self._hours = [partition_hour(partition) for partition in partitions]
        environment = stores.settings.tt.environment.value
        self._documents = SnapshotDocuments(stores.objects, environment)
        self._reader = RecordReader(self._documents, stores.settings.arrival.ahead_seconds)
        self._read: dict[str, FileResult] = {}
        self._refused: dict[str, str] = {}
        self._note_missing(now or datetime.now(UTC))

    @property
    def dataset(self) -> Snapshot:
        """The kind."""
        return self._snapshot

    @property
    def figures(self) -> SnapshotFigures:
        """Figures of every document that was read."""
        return self._figures

    @property
    def results(self) -> list[FileResult]:
        """What every document came to that was read, without its rows."""
        return list(self._read.values())

    def look(self) -> SnapshotFigures:
        """Read every document once, for the figures of them all; nothing is written."""
        for _ in self.slots():
            pass
        return self._figures

    def slots(self) -> Iterator[SlotRecords]:
        """Every document of the hours as records, by slot; unreadable ones too."""
        for hour in self._hours:
            for item in self._reader.read_keys(self._snapshot, self._hour_keys(hour)):
                self._count(item)
                yield item

    def frames(self) -> Iterator[pl.DataFrame]:
        """All records, a document at a time: what `latest` is offered of a set that grows."""
        for item in self.slots():
            if item.records is not None and not item.records.is_empty():
                yield item.records

    def history_frames(self) -> Iterator[pl.DataFrame]:
        """The records that differ from those of the slot before, a document at a time: what the
        history holds."""
        for hour in self._hours:
            yield from self._hour_changes(hour)

    def newest_set(self) -> WholeSet | None:
        """The set as the newest slot of the hours saw it: all that Redis can hold of them."""
        for hour in reversed(self._hours):
            for key in reversed(self._hour_keys(hour)):
                for item in self._reader.read_keys(self._snapshot, [key]):
                    if item.records is not None:
                        return WholeSet(item.slot, item.key, item.records)
        return None

    def refuse(self, refused: Mapping[str, StoreRejectedError]) -> None:
        """As `HourRecords.refuse`."""
        self._refused |= {key: str(error) for key, error in refused.items()}

    def account(self) -> None:
        """Quarantine what cannot be read and take out of it what can; note how far the stores are.

        To be called when both stores have the records: the next slot goes on from what is noted.
        """
        quarantine_damaged(self._stores.objects, self._read.values())
        release_sound(self._stores.objects, self._read.values())
        if not self._refused:
            self._note_written()

    def raise_failed(self) -> None:
        """Raise StoreRejectedError naming the documents that a store refuses."""
        raise_failed(self._refused)

    def _note_written(self) -> None:
        """Note the last document of these hours, unless documents before them are in no store yet:
        those are for the next slot, which would pass them over."""
        kind = self._snapshot.kind
        noted = written_until(self._stores, self._snapshot)
        until = noted if self._documents.has_key(kind, noted) else ""
        for hour in self._hours:
            keys = [
                key
                for key in self._documents.hour_keys(kind, hour)
                if key <= self._figures.last_file
            ]
            if until and self._documents.between(kind, until, hour, 1):
                break
            until = max([until, *keys])
        if until:
            note_shown(self._stores, self._snapshot, until)
            note_written(self._stores, self._snapshot, until)

    def _hour_changes(self, hour: datetime) -> Iterator[pl.DataFrame]:
        keys = self._hour_keys(hour)
        if not keys:
            return
        before = self._reader.before(self._snapshot, hour)
        hourly = expires(self._stores.settings, self._snapshot)
        for item in self._reader.read_keys(self._snapshot, keys):
            self._count(item)
            if item.records is None:
                continue
            changes = item.changes_since(before, hourly=hourly)
            if not changes.is_empty():
                yield changes
            before = item

    def _hour_keys(self, hour: datetime) -> list[str]:
        return self._documents.hour_keys(self._snapshot.kind, hour)

    def _count(self, item: SlotRecords) -> None:
        """Take a document into the figures, once."""
        if item.key not in self._read:
            self._read[item.key] = item.file.without_records()
            self._figures.add(item.file)

    def _note_missing(self, now: datetime) -> None:
        hours: OpenHours = open_hours(self._stores.settings)
        for hour in self._hours:
            due = [
                slot
                for slot in hour_slots(hour)
                # The slot of this half minute may be on its way.
                if slot + SLOT <= now and hours.closed_reason(slot) is None
            ]
            there = set(self._hour_keys(hour))
            kind = self._snapshot.kind
            missing = [slot for slot in due if self._documents.key(kind, slot) not in there]
            notes = self._stores.slot_log.notes(hour, hour + HOUR) if missing else []
            wanted = [slot for slot in missing if not never_due(notes, slot)]
            self._figures.slots_due += len(due) - len(missing) + len(wanted)
            self._figures.missing += wanted
