"""Documents to both stores: the slot's own, and those before it that the stores do not have yet.

`written_until` says up to which document both have a kind. So what a store missed while it was
away, or a run that died did not write, is written with the next slot, in order.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import polars as pl

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ingest.accounting import quarantine_damaged
from trade_assets.ingest.isolation import Isolation
from trade_assets.ingest.writing import HistoryWriter, SetWriter
from trade_assets.logs import get_logger
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.document_records import (
    RecordReader,
    SlotRecords,
    changes_since,
    slot_of_key,
)
from trade_assets.tt.slots.raw_documents import SnapshotDocuments, StoredDocument
from trade_assets.tt.tt_stores import TtStores

log = get_logger(__name__)

CAUGHT_UP_DOCUMENTS: Final = 240
"""Documents of a kind that a slot writes beside its own: two hours. Older ones are for a rerun, and
the slot says so."""

STORE_ERRORS: Final = (StoreUnavailableError, StoreRejectedError)


@dataclass
class Written:
    """What writing a kind came to.

    Attributes:
        snapshot: the kind.
        items: the documents to write, by slot; the slot's own is the last one.
        before: the one before them.
        from_status: whether Redis told where to begin.
        reasons: why it is not written, or not whole.
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
        self._reader = RecordReader(documents)
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
        with ThreadPoolExecutor(2, thread_name_prefix="stores") as pool:
            done = [
                pool.submit(self._write_all, "Redis", self._write_latest, plans),
                pool.submit(self._write_all, "DynamoDB", self._write_history, plans),
            ]
            for future in done:
                future.result()
        for plan in plans:
            self._finish(plan)
        return plans

    def _plan(self, snapshot: Snapshot, stored: StoredDocument) -> Written:
        keys: list[str] = []
        reasons: list[str] = []
        from_status = True
        try:
            until = written_until(self._stores.latest, snapshot)
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
        if not readable:
            return
        last = readable[-1]
        if plan.snapshot.replaced and last.records is not None:
            replaced = self._latest.replace(plan.snapshot, last.records, last.key, last.slot)
            plan.gone = len(replaced.gone)
            return
        parts = Isolation(_joined(readable))
        for part in parts:
            try:
                self._latest.write(plan.snapshot, part)
            except StoreRejectedError as error:
                parts.refuse(part, error)
        plan.refuse(parts.refused)

    def _write_history(self, plan: Written) -> None:
        changes: list[pl.DataFrame] = []
        before = plan.before
        for item in plan.items:
            if item.records is None:
                continue
            changes.append(changes_since(before, item))
            before = item
            if item is plan.own:
                plan.changed = changes[-1].height
        if all(frame.is_empty() for frame in changes):
            return
        parts = Isolation(pl.concat(changes))
        for part in parts:
            try:
                plan.puts += self._history.write(plan.snapshot, part).puts
            except StoreRejectedError as error:
                parts.refuse(part, error)
        plan.refuse(parts.refused)

    def _finish(self, plan: Written) -> None:
        """Note how far the stores are, and set aside what people should look at."""
        for item in plan.items:
            self._set_aside(item)
        if plan.own.records is None:
            plan.reasons.append(plan.own.file.error or "")
        if not (plan.complete and plan.from_status):
            return
        try:
            note_written(self._stores.latest, plan.snapshot, plan.own.key)
        except STORE_ERRORS as error:
            plan.fail(error)

    def _set_aside(self, item: SlotRecords) -> None:
        try:
            quarantine_damaged(self._stores.objects, [item.file])
        except STORE_ERRORS as error:
            log.error("damaged snapshot not quarantined", file=item.key, error=str(error))


def written_until(latest: LatestStore, snapshot: Snapshot) -> str:
    """Key of the newest document that both stores have, with all before it but what a slot has left
    to a rerun (and said so); "" if nobody knows.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    return latest.status(snapshot).get("last_file", "")


def note_written(latest: LatestStore, snapshot: Snapshot, key: str) -> None:
    """Note that both stores have a document and all before it, unless a newer one is noted.

    The event time of the status is the slot.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    slot, now = slot_of_key(key), datetime.now(UTC)
    lag = max((now - slot).total_seconds(), 0.0)
    latest.write_status(snapshot, key, slot, now, lag, repair=True)


def _joined(items: Sequence[SlotRecords]) -> pl.DataFrame:
    return pl.concat([item.records for item in items if item.records is not None])
