"""Paying what the stores are owed: the oldest first, until nothing is left, for as long as a
consumer runs. The first thing that a store takes shows that it is back.
"""

import threading
import time
from contextlib import suppress
from typing import Final

from trade_assets.errors import ObjectMissingError, StoreUnavailableError, TradeAssetsError
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.stream.micro_batch import MicroBatch
from trade_assets.feeds.stream.owed import Debt, OwedFiles, RecordStore
from trade_assets.feeds.stream.stages import StoreStages
from trade_assets.ingest.reading import read_files
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.sqs.notifications import Announcement

log = get_logger(__name__)

LOOK_SECONDS: Final = 2.0
"""Between two looks for what is owed, and between two tries at a store that is away."""
IDLE_SECONDS: Final = 30.0
"""Between two looks while both stores are there: for what another consumer has left."""
MARKERS_AT_A_TIME: Final = 32
"""They are paid together: a file a second makes a marker each, and to write one file costs as much
as to write several."""


class Payments:
    """Pays. `run` is for a thread of its own, and ends when it is told to."""

    def __init__(self, stores: FeedStores, stages: StoreStages, stopped: threading.Event) -> None:
        self._stores = stores
        self._stages = stages
        self._owed = OwedFiles(stores.objects)
        self._stopped = stopped
        self._unpayable: set[str] = set()
        self._busy = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether something is being paid: the store has little time for anything else."""
        return self._busy.is_set()

    def run(self) -> None:
        """Pay whatever there is, look again, and so on."""
        look_at = 0.0
        while True:
            if self._stages.gates.any_closed or time.monotonic() >= look_at:
                # DynamoDB first: what both are owed is accounted for when Redis has it, too.
                left = [self._pay(store) for store in (RecordStore.HISTORY, RecordStore.LATEST)]
                self._busy.clear()
                look_at = time.monotonic() + (0.0 if any(left) else IDLE_SECONDS)
            if self._stopped.wait(LOOK_SECONDS):
                return

    def _pay(self, store: RecordStore) -> bool:
        """Pay a store; whether something is left."""
        gates = self._stages.gates
        try:
            while not self._stopped.is_set():
                keys = self._owed.keys(store, MARKERS_AT_A_TIME)
                payable = [key for key in keys if key not in self._unpayable]
                if not payable:
                    # Whether it is back is for the next file to find out. One that is on its way
                    # to be owed may have closed the gate just now.
                    gates.open(store, after_seconds=2 * LOOK_SECONDS)
                    return False
                self._busy.set()
                if not self._pay_markers(store, payable):
                    return True
        except TradeAssetsError as error:
            log.warning("cannot look for what is owed", store=store.value, error=str(error))
        return True

    def _pay_markers(self, store: RecordStore, keys: list[str]) -> bool:
        """Pay what markers say, all in one; False: the store is still away."""
        try:
            return self._pay_debts(self._read(store, keys))
        except StoreUnavailableError:
            raise
        except Exception:
            if len(keys) > 1:
                return all(self._pay_markers(store, [key]) for key in keys)
            log.exception("cannot pay what is owed", store=store.value, marker=keys[0])
            self._unpayable.update(keys)
            return True

    def _read(self, store: RecordStore, keys: list[str]) -> list[Debt]:
        debts = []
        for key in keys:
            with suppress(ObjectMissingError):  # another consumer has paid it
                debts.append(self._owed.read(store, key))
        return debts

    def _pay_debts(self, debts: list[Debt]) -> bool:
        """Pay debts, each kind together: what the other store is owed too is finished with it."""
        last = [self._owed.is_last(debt) for debt in debts]
        kinds = [
            ([debt for debt, is_last in zip(debts, last, strict=True) if is_last is kind], kind)
            for kind in (True, False)
        ]
        return all(self._pay_together(part, last=kind) for part, kind in kinds if part)

    def _pay_together(self, debts: list[Debt], *, last: bool) -> bool:
        store = debts[0].store
        newest = {version.key: version for debt in debts for version in debt.versions}
        read = read_files(self._stores, list(newest.values()))
        work = MicroBatch([], results={result.version.key: result for result in read})
        if store is RecordStore.LATEST:
            self._stages.show(work, anyway=True)
            self._stages.derive(work)
        else:
            self._stages.keep(work, anyway=True)
        if last and not work.owes:
            self._finish(work)
        if store in work.owes:
            return False
        if last and work.owes:
            self._owed.owe(work.owed_versions())
        self._owed.settle(debts)
        log.info("paid", store=store.value, files=len(newest), since=debts[0].key)
        return True

    def _finish(self, work: MicroBatch) -> None:
        self._stages.finish(work)
        # What a store refuses is given up by the queue, as everything else.
        failed = [item.version for item in work.results.values() if item.state is FileState.FAILED]
        self._stores.queue.announce(
            [Announcement(item.key, item.etag, item.landed_at) for item in failed]
        )
