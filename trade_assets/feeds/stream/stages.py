"""What is done with a micro-batch, store by store: shown in Redis, kept in DynamoDB, derived from,
accounted for. A store that is away costs the batch nothing but what it owes that store then.
"""

from datetime import UTC, datetime

from trade_assets.datasets.keys import parse_feed_key
from trade_assets.errors import (
    DynamoUnavailableError,
    StoreRejectedError,
    StoreUnavailableError,
    TransientError,
    UnknownFeedError,
)
from trade_assets.feeds.datasets import derived_beside, derived_from
from trade_assets.feeds.derivation import Deriver, trading_dates_of
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.stream.gates import StoreGates, store_of
from trade_assets.feeds.stream.micro_batch import MicroBatch
from trade_assets.feeds.stream.owed import RecordStore
from trade_assets.feeds.stream.reporting import StreamReports, report_batch
from trade_assets.ingest.accounting import account
from trade_assets.ingest.file_status import note_files
from trade_assets.ingest.former_records import restore_former
from trade_assets.ingest.isolation import Isolation, Portion
from trade_assets.ingest.reading import (
    FileBatch,
    by_dataset,
    describe,
    mark_refused,
    mark_unchanged,
    read_former,
)
from trade_assets.ingest.rewrites import RewrittenTooFastError, follow_rewrites
from trade_assets.ingest.writing import HistoryWriter, LatestWriter
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.dynamodb.ledger import FileState

log = get_logger(__name__)


class StoreStages:
    """The steps of a micro-batch. Thread-safe."""

    def __init__(
        self,
        stores: FeedStores,
        latest: LatestWriter,
        history: HistoryWriter,
        reports: StreamReports,
        run_id: str,
    ) -> None:
        self.gates = StoreGates(stores.connections)
        self._stores = stores
        self._latest = latest
        self._history = history
        self._reports = reports
        self._run_id = run_id
        self._deriver = Deriver(stores)

    def show(self, work: MicroBatch, *, anyway: bool = False) -> None:
        """Make the files readable in Redis, and note that they came; `anyway`: also where it is
        known to be away."""
        for batch in by_dataset(list(work.results.values())):
            self._show(work, batch, anyway=anyway)

    def keep(self, work: MicroBatch, *, anyway: bool = False) -> None:
        """Write the files to the history, and what is derived from them to both stores; `anyway`:
        also where DynamoDB is known to be away."""
        self._keep_former(work, anyway=anyway)
        for batch in by_dataset(list(work.results.values())):
            self._keep(work, batch, anyway=anyway)
            if batch.dataset.rewritten:
                self._follow_rewrites(work, batch)

    def keep_later(self, work: MicroBatch) -> None:
        """Owe the files to the history; what is derived from them is shown in Redis."""
        for batch in by_dataset(list(work.results.values())):
            self._owe(work, batch, RecordStore.HISTORY)
            self._derive_all(work, batch, batch.portion, None)

    def derive(self, work: MicroBatch) -> None:
        """Write what is derived from the files to both stores, and nothing else."""
        for batch in by_dataset(list(work.results.values())):
            self._derive_all(work, batch, batch.portion, self._history_for(anyway=False))

    def finish(self, work: MicroBatch) -> None:
        """Account for the files that both stores have, and report them."""
        results = [*work.extra, *(r for k, r in work.results.items() if not work.is_owed(k))]
        try:
            if results:
                account(self._stores.objects, self._stores.ledger, results, self._run_id)
        except DynamoUnavailableError as error:
            self.gates.close(RecordStore.HISTORY, error)
            # What has failed comes back as a message.
            through = [item for item in results if item.state is not FileState.FAILED]
            work.owe(RecordStore.HISTORY, [item.version.key for item in through])
        report_batch(work, self._reports)

    def _show(self, work: MicroBatch, batch: FileBatch, *, anyway: bool = False) -> None:
        if self.gates.is_closed(RecordStore.LATEST) and not anyway:
            self._owe(work, batch, RecordStore.LATEST)
            return
        parts = Isolation(batch.portion)
        try:
            for part in parts:
                try:
                    written = self._latest.write(batch.dataset, part.records, part.stated)
                except StoreRejectedError as error:
                    parts.refuse(part, error)
                    continue
                work.changed[batch.dataset.path] += written.changed
            mark_refused(work.results, parts.refused)
            now = datetime.now(UTC)
            files = [file for file in batch.files if file.version.key not in parts.refused]
            work.lags |= {file.version.key: file.version.lag_seconds(now) for file in files}
            note_files(self._stores, batch.dataset, files, now, work.lags)
            self.gates.open(RecordStore.LATEST)
        except StoreUnavailableError as error:
            self.gates.close(RecordStore.LATEST, error)
            self._owe(work, batch, RecordStore.LATEST)

    def _keep(self, work: MicroBatch, batch: FileBatch, *, anyway: bool = False) -> None:
        parts = Isolation(batch.portion)
        for part in parts:
            history = self._history_for(anyway=anyway)
            if history is None:
                self._owe(work, batch, RecordStore.HISTORY)
            else:
                try:
                    written = history.write(batch.dataset, part.records, part.stated)
                    work.puts[batch.dataset.path] += written.puts
                    mark_unchanged(work.results, written.unchanged)
                    restore_former(self._stores, batch.dataset, written.dropped)
                except StoreRejectedError as error:
                    parts.refuse(part, error)
                    continue
                except StoreUnavailableError as error:
                    store = store_of(error)
                    self.gates.close(store, error)
                    self._owe(work, batch, store)
                    history = None if store is RecordStore.HISTORY else history
                else:
                    self.gates.open(RecordStore.HISTORY)
            self._derive_all(work, batch, part, history)
        mark_refused(work.results, parts.refused)

    def _keep_former(self, work: MicroBatch, *, anyway: bool) -> None:
        """Let the history know what statements said that were rewritten before they were read."""
        history = self._history_for(anyway=anyway)
        wanted = [item for item in work.former() if _is_statement(item.key)]
        if history is None or not wanted:
            return
        try:
            tolerance = self._stores.settings.arrival.ahead_seconds
            for result in read_former(self._stores.object_versions, wanted, tolerance):
                for batch in by_dataset([result]):
                    history.write(batch.dataset, batch.portion.records, batch.portion.stated)
        except StoreRejectedError as error:
            log.warning("former versions not kept", error=str(error))
        except StoreUnavailableError as error:
            # A rerun of the hour reads them again; the current versions are owed.
            self.gates.close(store_of(error), error)

    def _history_for(self, *, anyway: bool) -> HistoryWriter | None:
        """The history; None while it is away."""
        away = self.gates.is_closed(RecordStore.HISTORY) and not anyway
        return None if away else self._history

    def _derive_all(
        self,
        work: MicroBatch,
        batch: FileBatch,
        part: Portion,
        history: HistoryWriter | None,
    ) -> None:
        """Derive from records; what a store is not there for is owed to it with the files."""
        try:
            for derived in derived_from(batch.dataset) if part.file_keys else ():
                self._derive(derived, part, history)
            for derived in derived_beside(batch.dataset):
                self._derive_again(derived, part, history)
        except StoreUnavailableError as error:
            store = store_of(error)
            self.gates.close(store, error)
            self._owe(work, batch, store)

    def _derive_again(self, derived: Derived, part: Portion, history: HistoryWriter | None) -> None:
        """Derive anew from earlier files of the origin for which an input says something else."""
        try:
            for origin in self._deriver.affected(derived, trading_dates_of(part.records)):
                self._derive(derived, origin, history)
        except TransientError:
            raise
        except Exception:
            log.exception("cannot derive anew", dataset=derived.path, files=part.file_keys)

    def _derive(self, derived: Derived, part: Portion, history: HistoryWriter | None) -> None:
        """Derive from records. What cannot be derived costs the derived records only."""
        written, failure, newest = None, "", part.file_keys[-1]
        try:
            written = self._deriver.write(derived, part, self._latest, history or _LaterHistory())
        except TransientError:
            raise
        except Exception as error:
            failure = describe(error)
            log.exception("cannot derive", dataset=derived.path, file=newest)
        if history is not None:
            self._reports.add_derived(derived, parse_feed_key(newest).partition, written, failure)

    def _owe(self, work: MicroBatch, batch: FileBatch, store: RecordStore) -> None:
        work.owe(store, [file.version.key for file in batch.files])

    def _follow_rewrites(self, work: MicroBatch, batch: FileBatch) -> None:
        """Write again whatever was rewritten between its reading and now."""
        try:
            for read in follow_rewrites(self._stores, batch.files):
                for result in read:
                    work.supersede(work.results[result.version.key].version)
                    work.results[result.version.key] = result
                for newer in by_dataset(read):
                    self._show(work, newer)
                for newer in by_dataset([work.results[result.version.key] for result in read]):
                    self._keep(work, newer)
        except RewrittenTooFastError as error:
            # Their messages come back, and with them another look.
            for result in error.files:
                work.results[result.version.key] = result.failed(error)


def _is_statement(key: str) -> bool:
    try:
        return parse_feed_key(key).feed.statement is not None
    except UnknownFeedError:
        return False


class _LaterHistory:
    """In the place of a history that is away: it gets the derived records with what it is owed."""

    def write(self, *_: object) -> HistoryWritten:
        """Nothing."""
        return HistoryWritten(0, 0)
