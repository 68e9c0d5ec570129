"""Documents to both stores: the slot's own, and those before it that the stores do not have yet.

`status` says up to which document both have a kind. So what a store missed while it was away, or a
run that died did not write, is written with the next slot, in order.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.logs import get_logger
from trade_assets.stores.connections import Stores
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.latest_store import LatestWritten
from trade_assets.stores.retrying import retrying
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.changes import changes_since
from trade_assets.tt.slots.document_records import RecordReader, SlotRecords, quarantine
from trade_assets.tt.slots.raw_documents import SnapshotDocuments, StoredDocument
from trade_assets.tt.slots.written_until import note_written, written_until

log = get_logger(__name__)

CAUGHT_UP_DOCUMENTS: Final = 240
"""Documents of a kind that a slot writes beside its own: two hours. Older ones are for a rerun, and
the slot says so."""

STORE_ERRORS: Final = (StoreUnavailableError, StoreRejectedError)


class LatestWriter(Protocol):
    """What writes newest records; the IO manager of `latest` is one, and so is its store."""

    def write(self, feed: Dataset, records: pl.DataFrame) -> LatestWritten: ...

    def replace(
        self, feed: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime
    ) -> Replaced: ...


class HistoryWriter(Protocol):
    """What writes records for good; the IO manager of `history` is one, and so is its store."""

    def write(self, feed: Dataset, records: pl.DataFrame) -> HistoryWritten: ...


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


class SlotWriter:
    """Writes the documents of one slot to both stores."""

    def __init__(
        self,
        stores: Stores,
        documents: SnapshotDocuments,
        latest: LatestWriter,
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
        # DynamoDB's calls retry by themselves; Redis's do not.
        again = retrying(self._stores.settings.stores.retry_seconds)
        if not plan.snapshot.replaced:
            again(self._latest.write, plan.snapshot, _joined(readable))
            return
        last = readable[-1]
        result: Any = again(self._latest.replace, plan.snapshot, last.records, last.key, last.slot)
        plan.gone = len(result.gone)

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
        if any(not frame.is_empty() for frame in changes):
            plan.puts = self._history.write(plan.snapshot, pl.concat(changes)).puts

    def _finish(self, plan: Written) -> None:
        """Note how far the stores are, and set aside what people should look at."""
        for item in plan.items:
            if item.is_damaged:
                self._set_aside(item)
        if plan.own.records is None:
            plan.reasons.append(plan.own.error)
        if not (plan.complete and plan.from_status):
            return
        try:
            note_written(self._stores.latest, plan.snapshot, plan.own.key)
        except STORE_ERRORS as error:
            plan.fail(error)

    def _set_aside(self, item: SlotRecords) -> None:
        try:
            quarantine(self._stores.objects, item, datetime.now(UTC))
        except STORE_ERRORS as error:
            log.error("damaged snapshot not quarantined", file=item.key, error=str(error))


def _joined(items: Sequence[SlotRecords]) -> pl.DataFrame:
    return pl.concat([item.records for item in items if item.records is not None])
