"""Connections to Redis and what its errors mean to us: what every store in Redis begins with."""

from typing import Any, Final, cast

import redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio import RedisCluster as AsyncRedisCluster
from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    TryAgainError,
)

from trade_assets.datasets.described import Described
from trade_assets.errors import RedisUnavailableError, StoreRejectedError, TradeAssetsError
from trade_assets.settings import Settings

REDIS_ERRORS: Final = (RedisError, RedisClusterException, OSError)
"""What redis-py raises; the errors of its cluster client are no RedisErrors."""

_TRANSIENT_REPLIES: Final = ("BUSY ", "MISCONF ", "NOREPLICAS ")
"""Replies that redis-py has no class for: a slow script, a full disk, too few replicas."""

_TRANSIENT: Final = (
    redis.ConnectionError,
    redis.TimeoutError,
    BusyLoadingError,
    ClusterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)


ANSWER_SECONDS: Final = 10.0
IMPATIENT_SECONDS: Final = 2.0
"""How long an answer is waited for; the second where something else waits that has a deadline."""


def connect(settings: Settings, answer_seconds: float = ANSWER_SECONDS) -> "redis.Redis":
    """A client of the configured server or cluster; values come back as text."""
    url, options = settings.stores.redis_url.get_secret_value(), _options(answer_seconds)
    try:
        if settings.stores.redis_cluster:
            return cast("redis.Redis", redis.RedisCluster.from_url(url, **options))
        return redis.Redis.from_url(url, **options)
    except REDIS_ERRORS as error:
        raise as_redis_error(error, f"connecting to {settings.redis_display_url}") from None


def connect_async(settings: Settings, answer_seconds: float = ANSWER_SECONDS) -> "AsyncRedis":
    """The same for coroutines; connects when it is first used. `aclose` closes it."""
    url, options = settings.stores.redis_url.get_secret_value(), _options(answer_seconds)
    if settings.stores.redis_cluster:
        return cast("AsyncRedis", AsyncRedisCluster.from_url(url, **options))
    return AsyncRedis.from_url(url, **options)


def _options(answer_seconds: float) -> dict[str, Any]:
    return {
        "decode_responses": True,
        "socket_connect_timeout": min(3.0, answer_seconds),
        "socket_timeout": answer_seconds,
    }


def disconnect(client: "redis.Redis") -> None:
    """Close a client of `connect` and all its connections."""
    if isinstance(client, redis.RedisCluster):
        # Its own `close` leaves the connections in the pools of its nodes open.
        client.disconnect_connection_pools()
    client.close()


def as_redis_error(error: Exception, what: str) -> TradeAssetsError:
    """Translate an error of redis-py: transient where another try may help. No URL, no value."""
    passing = isinstance(error, _TRANSIENT) or str(error).startswith(_TRANSIENT_REPLIES)
    if passing or not isinstance(error, RedisError):
        return RedisUnavailableError(f"{what}: Redis: {type(error).__name__}: {error}")
    return StoreRejectedError(f"{what}: Redis: {type(error).__name__}: {error}")


class redis_errors:  # noqa: N801 - used like a function
    """Context in which redis-py's errors become ours."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, REDIS_ERRORS):
            raise as_redis_error(error, self._what) from error


def scope_of(dataset: Described) -> str:
    """`<source>:<name>`, the end of every key that is about a data set as a whole."""
    return f"{dataset.source}:{dataset.name}"
