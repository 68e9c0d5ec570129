"""Which stores of records are away right now, as a consumer knows: it goes on without them.

A gate closes when a call has failed for as long as the store is tried; from then on nothing waits
for that store. It opens when the store has taken something again, of what it is owed (`payments`).
"""

import threading
import time

from trade_assets.errors import RedisUnavailableError, StoreUnavailableError
from trade_assets.feeds.stream.owed import RecordStore
from trade_assets.logs import get_logger
from trade_assets.stores.connections import Connections

log = get_logger(__name__)


class StoreGates:
    """The gates of both stores. Thread-safe."""

    def __init__(self, connections: Connections) -> None:
        self._retries = {
            RecordStore.LATEST: connections.redis_retries,
            RecordStore.HISTORY: connections.dynamodb_retries,
        }
        self._lock = threading.Lock()
        self._closed: dict[RecordStore, float] = {}

    def is_closed(self, store: RecordStore) -> bool:
        """Whether a store is away."""
        return store in self._closed

    @property
    def any_closed(self) -> bool:
        """Whether one of them is away."""
        return bool(self._closed)

    def close(self, store: RecordStore, error: StoreUnavailableError) -> None:
        """A store is away.

        Raises:
            StoreUnavailableError: `error`, where it was not tried for as long as it should be.
        """
        if self._retries[store].ended:
            raise error
        with self._lock:
            if store in self._closed:
                return
            self._closed[store] = time.monotonic()
            self._retries[store].hurry(True)
        log.error("store is away, what it is owed is kept", store=store.value, error=str(error))

    def open(self, store: RecordStore, after_seconds: float = 0.0) -> None:
        """A store is back, unless it went away less than so long ago."""
        if store not in self._closed:
            return
        with self._lock:
            since = self._closed.get(store)
            if since is None or time.monotonic() - since < after_seconds:
                return
            del self._closed[store]
            self._retries[store].hurry(False)
        log.info("store is back", store=store.value)


def store_of(error: StoreUnavailableError) -> RecordStore:
    """The store that an error of a call to both is about."""
    is_redis = isinstance(error, RedisUnavailableError)
    return RecordStore.LATEST if is_redis else RecordStore.HISTORY
