"""Paying what the stores are owed: the oldest first, until nothing is left, for as long as a
consumer runs. The first thing that a store takes shows that it is back.
"""

import threading
import time
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
MARKERS_AT_A_TIME: Final = 100


class Payments:
    """Pays. `run` is for a thread of its own, and ends when it is told to."""

    def __init__(self, stores: FeedStores, stages: StoreStages, stopped: threading.Event) -> None:
        self._stores = stores
        self._stages = stages
        self._owed = OwedFiles(stores.objects)
        self._stopped = stopped
        self._unpayable: set[str] = set()

    def run(self) -> None:
        """Pay whatever there is, look again, and so on."""
        look_at = 0.0
        while True:
            if self._stages.gates.any_closed or time.monotonic() >= look_at:
                # DynamoDB first: what both are owed is accounted for when Redis has it, too.
                left = [self._pay(store) for store in (RecordStore.HISTORY, RecordStore.LATEST)]
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
                for key in payable:
                    if self._stopped.is_set() or not self._pay_marker(store, key):
                        return True
                    gates.open(store)
        except TradeAssetsError as error:
            log.warning("cannot look for what is owed", store=store.value, error=str(error))
        return True

    def _pay_marker(self, store: RecordStore, key: str) -> bool:
        """Pay what a marker says; False: the store is still away."""
        try:
            paid = self._paid(self._owed.read(store, key))
        except ObjectMissingError:
            return True  # another consumer has paid it
        except StoreUnavailableError:
            raise
        except Exception:
            log.exception("cannot pay what is owed", store=store.value, marker=key)
            self._unpayable.add(key)
            return True
        return paid

    def _paid(self, debt: Debt) -> bool:
        read = read_files(self._stores.objects, debt.versions)
        work = MicroBatch([], results={result.version.key: result for result in read})
        if debt.store is RecordStore.LATEST:
            self._stages.show(work, anyway=True)
            self._stages.derive(work)
        else:
            self._stages.keep(work, anyway=True)
        if debt.store in work.owes:
            return False
        if self._owed.is_last(debt):
            if not work.owes:
                self._finish(work)
            if debt.store in work.owes:
                return False
            if work.owes:
                self._owed.owe(work.owed_versions())
        self._owed.settle(debt)
        log.info("paid", store=debt.store.value, files=len(debt.versions), marker=debt.key)
        return True

    def _finish(self, work: MicroBatch) -> None:
        self._stages.finish(work)
        # What a store refuses is given up by the queue, as everything else.
        failed = [item.version for item in work.results.values() if item.state is FileState.FAILED]
        self._stores.queue.announce(
            [Announcement(item.key, item.etag, item.landed_at) for item in failed]
        )
