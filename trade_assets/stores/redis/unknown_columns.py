"""Unknown columns: those that files have and the registry does not know, by feed, in Redis.

`columns:<source>:<feed>` is a set of their names; a name is new once.
"""

from collections.abc import Iterable
from typing import cast

import redis

from trade_assets.datasets.dataset import Feed
from trade_assets.stores.redis.client import redis_errors, scope_of


class UnknownColumns:
    """Names of unknown columns of every feed. Thread-safe."""

    def __init__(self, redis_client: "redis.Redis") -> None:
        self._redis = redis_client

    def note(self, feed: Feed, names: Iterable[str]) -> list[str]:
        """Note that files have these columns; returns those that nobody had noted before.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("noting unknown columns"):
            return [name for name in names if self._redis.sadd(_key(feed), name)]

    def names(self, feed: Feed) -> list[str]:
        """All that were noted, sorted.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("reading unknown columns"):
            return sorted(cast("set[str]", self._redis.smembers(_key(feed))))


def _key(feed: Feed) -> str:
    return f"columns:{scope_of(feed)}"
