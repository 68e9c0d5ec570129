"""Up to which document both stores have a kind of snapshot: where the next slot begins to write.

`written:tt:<name>`, the document's key; it moves forward only. What Redis alone has is in
`status:`.
"""

from typing import Any, Final

import redis

from trade_assets.stores.redis.client import redis_errors, scope_of
from trade_assets.tt.formats.snapshot import Snapshot

_ADVANCE: Final = """
local stored = redis.call('GET', KEYS[1])
if stored and stored >= ARGV[1] and stored <= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""


class WrittenMarks:
    """The marks. Thread-safe."""

    def __init__(self, client: "redis.Redis") -> None:
        self._redis = client

    def read(self, snapshot: Snapshot, first: str) -> str:
        """The mark of a kind; where there is none it is `first` from now on.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors(f"reading what is written of {snapshot.path}"):
            stored: Any = self._redis.get(_key(snapshot))
            if stored is None:
                self._redis.set(_key(snapshot), first, nx=True)
        return first if stored is None else str(stored)

    def advance(self, snapshot: Snapshot, document_key: str, latest_key: str) -> None:
        """Both stores have a document, and all before it. A mark behind `latest_key`, of the latest
        slot that can be, was set by a clock that was wrong, and goes.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors(f"noting what is written of {snapshot.path}"):
            self._redis.eval(_ADVANCE, 1, _key(snapshot), document_key, latest_key)


def _key(snapshot: Snapshot) -> str:
    return f"written:{scope_of(snapshot)}"
