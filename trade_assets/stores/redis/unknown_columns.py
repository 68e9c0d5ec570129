"""Unknown columns: those that files have and the registry does not know, by data set, in Redis.

`columns:<source>:<feed>` is a set of their names; a name is new once.
"""

from collections.abc import Iterable
from typing import cast

import redis

from trade_assets.datasets.dataset import Dataset
from trade_assets.stores.redis.client import redis_errors, scope_of
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried


class UnknownColumns:
    """Names of unknown columns of every data set. Thread-safe."""

    def __init__(self, redis_client: "redis.Redis", retries: Retries = NO_RETRIES) -> None:
        self._redis = redis_client
        self._retries = retries

    @property
    def retries(self) -> Retries:
        """Of every call."""
        return self._retries

    @retried
    def note(self, dataset: Dataset, names: Iterable[str]) -> list[str]:
        """Note that files have these columns; returns those that nobody had noted before.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("noting unknown columns"):
            return [name for name in names if self._redis.sadd(_key(dataset), name)]

    @retried
    def names(self, dataset: Dataset) -> list[str]:
        """All that were noted, sorted.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("reading unknown columns"):
            return sorted(cast("set[str]", self._redis.smembers(_key(dataset))))


def _key(dataset: Dataset) -> str:
    return f"columns:{scope_of(dataset)}"
