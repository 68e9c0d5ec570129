"""Which versions of records Redis has: what tells one from another, without the rest of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, TRADING_DATE
from trade_assets.stores.redis.client import redis_errors

if TYPE_CHECKING:
    import redis

READ_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Version:
    """Which version of a record Redis has: its key, and the texts of its time and file.

    Attributes:
        trading_date: as the record has it, ISO text; None: it has none.
    """

    record_key: str
    event_time: str
    file_key: str
    trading_date: str | None = field(default=None, compare=False)


def read_versions(client: "redis.Redis", scope: str, record_keys: Sequence[str]) -> list[Version]:
    """The version of every record of these keys that has one.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    found: list[Version] = []
    for start in range(0, len(record_keys), READ_AT_ONCE):
        keys = record_keys[start : start + READ_AT_ONCE]
        with (
            redis_errors("reading versions of records"),
            client.pipeline(transaction=False) as pipe,
        ):
            for key in keys:
                pipe.hmget(f"latest:{scope}:{key}", [EVENT_TIME, FILE_KEY, TRADING_DATE])
            answers = pipe.execute()
        found += [
            Version(key, dated, file_key, day)
            for key, (dated, file_key, day) in zip(keys, answers, strict=True)
            if dated is not None and file_key is not None
        ]
    return found
