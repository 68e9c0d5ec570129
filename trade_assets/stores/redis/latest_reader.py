"""Reading latest records out of Redis, as texts. Which keys there are says `latest_store`.

No Polars here: whoever only shows records has no need of frames.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import orjson
import redis

from trade_assets.datasets.described import Described
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect, redis_errors, scope_of
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried

FILE_FIELD: Final = "_file_key"
TIME_FIELD: Final = "_event_time"
RESERVED: Final = (FILE_FIELD, TIME_FIELD)
"""Fields of a set's hash that are no record."""

Record = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PictureOfSet:
    """A whole set as one file had it.

    Attributes:
        file_key: the file.
        event_time: when the set was so (UTC); of a snapshot, its slot.
        records: all records, texts by column name, in the order of their keys.
    """

    file_key: str
    event_time: datetime
    records: list[Record]


class LatestReader:
    """Newest records out of Redis. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        client: "redis.Redis | None" = None,
        retries: Retries = NO_RETRIES,
    ) -> None:
        self._settings = settings
        self._retries = retries
        self._redis = client if client is not None else connect(settings)

    @property
    def retries(self) -> Retries:
        """Of every call but `ping`."""
        return self._retries

    @retried
    def read_set(self, dataset: Described) -> PictureOfSet | None:
        """A replaced set as one file had it, never half replaced; None before the first one."""
        return self._picture(dataset)

    @retried
    def read(self, dataset: Described, record_keys: Iterable[str]) -> list[Record]:
        """The newest records of those keys that exist, in the order asked; of a replaced set all
        from one picture of it."""
        if dataset.replaced:
            return self._read_of_set(dataset, list(record_keys))
        prefix = f"latest:{scope_of(dataset)}:"
        with (
            redis_errors("reading latest records"),
            self._redis.pipeline(transaction=False) as pipe,
        ):
            for key in record_keys:
                pipe.hgetall(f"{prefix}{key}")
            return [record for record in pipe.execute() if record]

    @retried
    def record_keys(self, dataset: Described) -> list[str]:
        """Record keys that exist, sorted."""
        if dataset.replaced:
            with redis_errors("reading record keys"):
                names = cast("list[str]", self._redis.hkeys(set_key(dataset)))
            return sorted(set(names) - set(RESERVED))
        with redis_errors("reading record keys"):
            return sorted(cast("set[str]", self._redis.smembers(f"keys:{scope_of(dataset)}")))

    @retried
    def record_count(self, dataset: Described) -> int:
        """How many record keys exist; costs the same however many."""
        with redis_errors("counting record keys"):
            if dataset.replaced:
                return max(0, self._redis.hlen(set_key(dataset)) - len(RESERVED))
            return self._redis.scard(f"keys:{scope_of(dataset)}")

    @retried
    def status(self, dataset: Described) -> Mapping[str, str]:
        """A data set's status fields; empty before its first file."""
        with redis_errors("reading status"):
            return cast("dict[str, str]", self._redis.hgetall(f"status:{scope_of(dataset)}"))

    def close(self) -> None:
        """Give the connections back."""
        disconnect(self._redis)

    def _picture(self, dataset: Described) -> PictureOfSet | None:
        with redis_errors("reading a set"):
            return picture_of(cast("Any", self._redis.hgetall(set_key(dataset))))

    def _read_of_set(self, dataset: Described, keys: list[str]) -> list[Record]:
        wanted = [key for key in keys if key not in RESERVED]
        if not wanted:
            return []
        with redis_errors("reading latest records"):
            texts = cast("list[str | None]", self._redis.hmget(set_key(dataset), wanted))
            return read_texts(text for text in texts if text is not None)


def set_key(dataset: Described) -> str:
    """Key of a replaced set as a whole."""
    return f"set:{scope_of(dataset)}"


def picture_of(fields: Mapping[str, str]) -> PictureOfSet | None:
    """A set's hash as a picture; None if there is none, or it is damaged."""
    try:
        return PictureOfSet(
            file_key=fields[FILE_FIELD],
            event_time=datetime.fromisoformat(fields[TIME_FIELD]),
            records=read_texts(fields[key] for key in sorted(fields) if key not in RESERVED),
        )
    except (KeyError, ValueError):
        return None


def read_texts(texts: Iterable[str]) -> list[Record]:
    """Fields of the set's hash as records."""
    return [orjson.loads(text) for text in texts]
