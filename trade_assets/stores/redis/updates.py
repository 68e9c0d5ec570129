"""Updates: the streams of changes in Redis, written with each change and read as they grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
import redis
from redis.exceptions import RedisError

from trade_assets.datasets.described import Described
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import (
    as_redis_error,
    connect,
    disconnect,
    redis_errors,
    scope_of,
)

ENTRIES: Final = 500
"""Most entries of one reading."""


@dataclass(frozen=True, slots=True)
class Update:
    """One write: the newest file of it, and the record keys that it changed."""

    event_time: str
    file_key: str
    record_keys: tuple[str, ...]


def announce(
    client: "redis.Redis",
    dataset: Described,
    event_time: str,
    file_key: str,
    record_keys: Sequence[str],
    max_length: int | None = None,
) -> None:
    """Tell live readers that records have changed, or are gone.

    Args:
        event_time, file_key: of the newest of them.
        max_length: the stream keeps about so many entries; None: as many as there are.
    """
    entry = {
        "event_time": event_time,
        "file_key": file_key,
        "count": len(record_keys),
        "record_keys": orjson.dumps(record_keys).decode(),
    }
    with redis_errors("announcing updates"):
        client.xadd(
            f"updates:{scope_of(dataset)}",
            cast("dict[Any, Any]", entry),
            maxlen=max_length,
            approximate=True,
        )


class UpdateReader:
    """Follows the updates of one data set. Not thread-safe."""

    def __init__(self, settings: Settings, dataset: Described) -> None:
        self._redis = connect(settings)
        self._stream = f"updates:{scope_of(dataset)}"
        self._last: str | None = None

    def mark(self) -> None:
        """Follow what comes from now on. What is read afterwards from `latest_store` is not older.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        try:
            newest = cast("list[Any]", self._redis.xrevrange(self._stream, count=1))
        except (RedisError, OSError) as error:
            raise as_redis_error(error, "finding the newest update") from error
        self._last = newest[0][0] if newest else "0-0"

    def read(self, wait_seconds: float) -> list[Update]:
        """Updates since the last reading, oldest first; waits for the first up to `wait_seconds`.

        A reader that falls far behind loses entries: the stream is trimmed.

        Raises:
            StoreUnavailableError: Redis cannot be reached; nothing is lost by reading again.
        """
        if self._last is None:
            self.mark()
        block_ms = max(1, int(wait_seconds * 1000))
        try:
            answer = self._redis.xread(
                {self._stream: cast("str", self._last)}, count=ENTRIES, block=block_ms
            )
        except (RedisError, OSError) as error:
            raise as_redis_error(error, "following updates") from error
        entries = entries_of(answer)
        if entries:
            self._last = entries[-1][0]
        return [_update(fields) for _, fields in entries]

    def close(self) -> None:
        """Give the connection back."""
        disconnect(self._redis)


def entries_of(answer: Any) -> Sequence[tuple[str, dict[str, str]]]:
    """The entries of the one stream, in either form of redis-py's answer (RESP 2 and 3)."""
    if not answer:
        return []
    if isinstance(answer, dict):
        (parts,) = answer.values()
        return cast("Sequence[tuple[str, dict[str, str]]]", parts[0] if parts else [])
    return cast("Sequence[tuple[str, dict[str, str]]]", answer[0][1])


def _update(fields: dict[str, str]) -> Update:
    return Update(
        event_time=fields.get("event_time", ""),
        file_key=fields.get("file_key", ""),
        record_keys=tuple(orjson.loads(fields.get("record_keys", "[]"))),
    )
