"""Records of slots: documents read as records, and written to both stores.

The same for a slot as it comes and for hours read again: the names of instruments come from the
slot's own document of instruments, else from the newest one before it within the hour.

A slot writes its own documents and those before it that the stores do not have yet: `written:` says
up to which document both have a kind. So what a store missed while it was away, or a run that died
did not write, is written with the next slot, in order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import polars as pl

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ingest.accounting import quarantine_damaged
from trade_assets.ingest.isolation import Isolation, Portion
from trade_assets.ingest.reading import (
    DATED,
    FileResult,
    FileVersion,
    accepted,
    ahead_reason,
    refused,
)
from trade_assets.ingest.writing import HistoryWriter, SetWriter
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.expiry import expires
from trade_assets.tt.datasets import INSTRUMENTS
from trade_assets.tt.formats.instruments_snapshot import instrument_names
from trade_assets.tt.formats.slot_times import hour_of
from trade_assets.tt.formats.snapshot import InstrumentNames, Snapshot
from trade_assets.tt.slots.raw_documents import UNREADABLE_BEFORE, SnapshotDocuments, StoredDocument
from trade_assets.tt.slots.results import KindResult
from trade_assets.tt.slots.slot_changes import changed_records
from trade_assets.tt.slots.slot_notes import note_shown, note_written, written_until
from trade_assets.tt.tt_stores import TtStores

log = get_logger(__name__)

BATCH_DOCUMENTS: Final = 24
"""Documents in memory at a time: 1,000 orders each are 24,000 rows."""

CAUGHT_UP_DOCUMENTS: Final = 240
"""Documents of a kind that a slot writes beside its own: two hours. Older ones are for a rerun, and
the slot says so."""

STORE_ERRORS: Final = (StoreUnavailableError, StoreRejectedError)


@dataclass(frozen=True)
class SlotRecords:
    """What a document came to.

    Attributes:
        slot: of its key.
        file: the document as any other file that was read; no `records` if it cannot be read.
        ahead: the slot is so far behind the landing of the document that a clock was wrong.
    """

    slot: datetime
    file: FileResult
    ahead: bool = False

    @property
    def key(self) -> str:
        """The document's key."""
        return self.file.version.key

    @property
    def records(self) -> pl.DataFrame | None:
        """`record_schema` of the data set; None if the document cannot be read."""
        return self.file.records

    def changes_since(self, before: "SlotRecords | None", *, hourly: bool) -> pl.DataFrame:
        """The records of a readable document that differ from those of the one before it.

        `hourly`: all of them, if it is the first of its hour; for histories that expire, in which
        what never changes would have one copy that does.
        """
        assert self.records is not None
        if before is None or (hourly and hour_of(before.slot) != hour_of(self.slot)):
            return self.records
        return changed_records(self.records, self.slot, before.records, before.slot)


class RecordReader:
    """Reads documents of any kind as records. Not thread-safe.

    Args:
        ahead_seconds: what is dated further behind the landing of its document is rejected
            (`Dataset.latest_time`).
    """

    def __init__(self, documents: SnapshotDocuments, ahead_seconds: float) -> None:
        self._documents = documents
        self._ahead_seconds = ahead_seconds
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
        ahead = self._ahead_seconds
        return [_records(snapshot, stored, names[stored.slot], ahead) for stored in loaded]

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


@dataclass
class Written:
    """What writing a kind came to.

    Attributes:
        snapshot: the kind.
        items: the documents to write, by slot; the slot's own is the last one.
        before: the one before them.
        from_status: whether Redis told where to begin.
        reasons: why it is not written, or not whole.
        complete: both stores have all of it; `shown`: Redis has.
    """

    snapshot: Snapshot
    items: list[SlotRecords]
    before: SlotRecords | None
    from_status: bool
    changed: int = 0
    gone: int = 0
    puts: int = 0
    reasons: list[str] = field(default_factory=list)
    complete: bool = True
    shown: bool = False

    @property
    def own(self) -> SlotRecords:
        """The slot's own document."""
        return self.items[-1]

    def fail(self, error: Exception) -> None:
        """Note that a store does not have it."""
        self.complete = False
        self.reasons.append(str(error))

    def refuse(self, refused: Mapping[str, StoreRejectedError]) -> None:
        """Note documents that a store refuses, by their keys."""
        for key, error in refused.items():
            self.fail(error if key == self.own.key else StoreRejectedError(f"{key}: {error}"))

    def added_to(self, result: KindResult) -> KindResult:
        """A kind whose raw document is there, after writing it to the stores."""
        own = self.own
        reasons = [result.reason, *self.reasons]
        return replace(
            result,
            reason="; ".join(reason for reason in reasons if reason),
            written=self.complete,
            rows=own.file.rows_stored,
            rejected=sum(not row.duplicate for row in own.file.rejected),
            changed=self.changed,
            gone=self.gone,
            puts=self.puts,
            caught_up=len(self.items) - 1,
        )


class SlotWriter:
    """Writes the documents of one slot to both stores."""

    def __init__(
        self,
        stores: TtStores,
        documents: SnapshotDocuments,
        latest: SetWriter,
        history: HistoryWriter,
    ) -> None:
        self._stores = stores
        self._documents = documents
        self._reader = RecordReader(documents, stores.settings.arrival.ahead_seconds)
        self._latest = latest
        self._history = history
        self._away: dict[str, Exception] = {}

    @property
    def away(self) -> frozenset[str]:
        """Names of the stores (`Redis`, `DynamoDB`) that could not be reached."""
        return frozenset(self._away)

    def write(self, documents: Sequence[tuple[Snapshot, StoredDocument]]) -> list[Written]:
        """Write documents of one slot, and all before them that the stores lack.

        A store that is away holds up neither the other one nor the slot for longer than the bound
        of retries: what it did not get is in `Written.reasons`, and the next slot writes it.

        Raises:
            StoreUnavailableError: the bucket cannot be reached; nothing was written.
        """
        plans = [self._plan(snapshot, stored) for snapshot, stored in documents]
        pool = ThreadPoolExecutor(2, thread_name_prefix="stores")
        try:
            done = [
                pool.submit(self._write_all, "Redis", self._write_latest, plans),
                pool.submit(self._write_all, "DynamoDB", self._write_history, plans),
            ]
            for future in done:
                future.result()
        finally:
            pool.shutdown(wait=False)  # who is interrupted waits for no store
        for plan in plans:
            self._finish(plan)
        return plans

    def _plan(self, snapshot: Snapshot, stored: StoredDocument) -> Written:
        keys: list[str] = []
        reasons: list[str] = []
        from_status = True
        try:
            until = written_until(self._stores, snapshot)
        except STORE_ERRORS:
            until, from_status = "", False
        if self._documents.has_key(snapshot.kind, until):
            limit = CAUGHT_UP_DOCUMENTS
            keys = self._documents.between(snapshot.kind, until, stored.slot, limit + 1)
            if len(keys) > limit:
                keys = keys[1:]
                reasons.append(f"not written: what is before {keys[0]}; rerun its hours")
        items = [*self._reader.read_keys(snapshot, keys), *self._reader.read(snapshot, [stored])]
        before = self._reader.before(snapshot, items[0].slot)
        return Written(snapshot, items, before, from_status, reasons=reasons)

    def _write_all(
        self, store: str, write: Callable[[Written], None], plans: Sequence[Written]
    ) -> None:
        for plan in plans:
            try:
                if store in self._away:
                    raise StoreUnavailableError(str(self._away[store]))
                write(plan)
            except STORE_ERRORS as error:
                plan.fail(error)
                if isinstance(error, StoreUnavailableError):
                    self._away[store] = error

    def _write_latest(self, plan: Written) -> None:
        readable = [item for item in plan.items if item.records is not None]
        if readable:
            self._show(plan, readable)
        plan.shown = plan.from_status

    def _show(self, plan: Written, readable: Sequence[SlotRecords]) -> None:
        last = readable[-1]
        if plan.snapshot.replaced and last.records is not None:
            replaced = self._latest.replace(plan.snapshot, last.records, last.key, last.slot)
            plan.gone = len(replaced.gone)
            return
        parts = Isolation(Portion(_joined(readable)))
        for part in parts:
            try:
                self._latest.write(plan.snapshot, part.records)
            except StoreRejectedError as error:
                parts.refuse(part, error)
        plan.refuse(parts.refused)

    def _write_history(self, plan: Written) -> None:
        changes: list[pl.DataFrame] = []
        before, hourly = plan.before, expires(self._stores.settings, plan.snapshot)
        for item in plan.items:
            if item.records is None:
                continue
            changes.append(item.changes_since(before, hourly=hourly))
            before = item
            if item is plan.own:
                plan.changed = changes[-1].height
        if all(frame.is_empty() for frame in changes):
            return
        parts = Isolation(Portion(pl.concat(changes)))
        for part in parts:
            try:
                plan.puts += self._history.write(plan.snapshot, part.records).puts
            except StoreRejectedError as error:
                parts.refuse(part, error)
        plan.refuse(parts.refused)

    def _finish(self, plan: Written) -> None:
        """Note how far the stores are, and set aside what people should look at."""
        for item in plan.items:
            self._set_aside(item)
        if plan.own.records is None:
            plan.reasons.append(plan.own.file.error or "")
        # A document of a slot to come is no mark that earlier slots could go on from.
        if plan.own.ahead:
            return
        try:
            if plan.shown:
                note_shown(self._stores, plan.snapshot, plan.own.key)
            if plan.complete and plan.from_status:
                note_written(self._stores, plan.snapshot, plan.own.key)
        except STORE_ERRORS as error:
            plan.fail(error)

    def _set_aside(self, item: SlotRecords) -> None:
        try:
            quarantine_damaged(self._stores.objects, [item.file])
        except STORE_ERRORS as error:
            log.error("damaged snapshot not quarantined", file=item.key, error=str(error))


def _joined(items: Sequence[SlotRecords]) -> pl.DataFrame:
    return pl.concat([item.records for item in items if item.records is not None])


def _records(
    snapshot: Snapshot, stored: StoredDocument, names: InstrumentNames, ahead_seconds: float
) -> SlotRecords:
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
    latest_time = snapshot.latest_time(info.landed_at, ahead_seconds)
    ahead = stored.slot > latest_time
    if not (ahead and snapshot.replaced):
        file = accepted(read, parsed, info.landed_at, ahead_seconds)
        return SlotRecords(stored.slot, file, ahead)
    # No later set would ever be newer than this one. What grows has times of its own.
    damaged = _damaged(read, f"the slot {ahead_reason(stored.slot, info.landed_at)}")
    return SlotRecords(stored.slot, replace(damaged, ahead=parsed.frame.select(DATED)), ahead)


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
