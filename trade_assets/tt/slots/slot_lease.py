"""The slot lease: at most one run at a time takes snapshots of an environment; in Redis.

redis-py's lock does the work: it is taken with an expiry, so that a run that dies blocks nobody for
long, and given back only by whom it belongs to.
"""

from typing import Any
from uuid import uuid4

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from trade_assets.settings import Settings
from trade_assets.stores.redis.client import redis_errors


class HeldLease:
    """A lease while it is held. Use it in a `with`, at the end of which it is given back."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    def still_held(self) -> bool:
        """Whether it has neither run out nor been given back.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("looking at the lease of snapshots"):
            return bool(self._lock.owned())

    def release(self) -> None:
        """Give it back; nothing happens if it has run out, whoever has it now.

        Raises:
            StoreUnavailableError: Redis cannot be reached; the lease runs out by itself.
        """
        with redis_errors("giving back the lease of snapshots"):
            try:
                self._lock.release()
            except LockError:
                return

    def __enter__(self) -> "HeldLease":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class SlotLease:
    """The lease of an environment. Thread-safe."""

    def __init__(self, settings: Settings, client: "redis.Redis") -> None:
        self._redis = client
        self._name = f"lease:tt:{settings.tt.environment.value}"

    def acquire(self, seconds: float, holder: str) -> HeldLease | None:
        """Take the lease for so long, at once or not at all (None). `holder` is for `holder()`.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("taking the lease of snapshots"):
            lock = Lock(self._redis, self._name, timeout=seconds, thread_local=False)
            taken = lock.acquire(blocking=False, token=f"{holder}#{uuid4().hex}")
        return HeldLease(lock) if taken else None

    def holder(self) -> str | None:
        """Who holds it now, as given to `acquire`; None if nobody does.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("looking at the lease of snapshots"):
            token: Any = self._redis.get(self._name)
        return None if token is None else str(token).rpartition("#")[0]
