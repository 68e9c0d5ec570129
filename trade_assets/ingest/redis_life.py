"""Whether Redis still has what was written into it: marks of its life, there and beside the ledger.

The ledger's table keeps a name, Redis has it in as many marks as lie in every shard of a cluster. A
mark that is not there says that at least a part of Redis began anew. Who puts back what was lost is
`rebuilding`'s matter; it begins with marks of its own, so that a second loss meanwhile shows.

Keys: `life:<number>` in Redis; pk and sk `#redis` in the ledger's table.
"""

from enum import StrEnum
from typing import Any, Final, cast
from uuid import uuid4

import orjson
import redis

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls
from trade_assets.stores.redis.client import redis_errors

MARKS: Final = 64
"""Slots of a cluster that have one. A shard of a sixth of them has none once in 100,000 times."""

REDIS_KEY: Final = "#redis"
"""pk and sk of the item that names the life of Redis; it is no file's line."""

_REBUILDING: Final = "rebuilding:"


class LifeState(StrEnum):
    """What Redis is, compared with what was written into it."""

    NEW = "new"  # nobody has ever marked it: all that is to come will be in it
    KEPT = "kept"  # it has all its marks
    LOST = "lost"  # it, or a part of it, began anew
    REBUILDING = "rebuilding"  # what was lost is being put back


class RedisLife:
    """The marks. Thread-safe.

    Every method raises StoreUnavailableError while a store that it needs cannot be reached.
    """

    def __init__(self, settings: Settings, redis_client: "redis.Redis", calls: DynamoCalls) -> None:
        self._redis = redis_client
        self._calls = calls
        self._table = settings.ledger_table

    def look(self) -> LifeState:
        """Compare; nothing is written."""
        return compare(self.name(), self.marks())

    def name(self) -> str | None:
        """What the ledger's table says; None if it has never been said."""
        found = self._calls.get_all(self._table, [(REDIS_KEY, REDIS_KEY)])
        return str(found[0]["life"]["S"]) if found else None

    def marks(self) -> list[str | None]:
        """What Redis says, mark by mark."""
        with (
            redis_errors("reading the marks of Redis"),
            self._redis.pipeline(transaction=False) as pipe,
        ):
            for number in range(MARKS):
                pipe.get(_key(number))
            return cast("list[str | None]", pipe.execute())

    def begin(self) -> None:
        """Mark a Redis that is new, or the table where only that is."""
        there = set(self.marks())
        (mark,) = there if len(there) == 1 else (None,)
        adopted = mark if mark and not mark.startswith(_REBUILDING) else uuid4().hex
        item = {"pk": {"S": REDIS_KEY}, "sk": {"S": REDIS_KEY}, "life": {"S": adopted}}
        body = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        try:
            self._calls.call("PutItem", orjson.dumps(body))
        except ConditionFailedError:
            return  # Somebody was quicker; his marks are on their way.
        self._mark(adopted)

    def begin_rebuilding(self) -> str:
        """Mark what is about to be put back; the answer is for `finish_rebuilding`."""
        token = f"{_REBUILDING}{uuid4().hex}"
        self._mark(token)
        return token

    def finish_rebuilding(self, token: str) -> bool:
        """All is there again; false, and nothing done, if some of it was lost meanwhile."""
        if set(self.marks()) != {token}:
            return False
        name = self.name()
        if name is None:
            self.begin()
        else:
            self._mark(name)
        return True

    def _mark(self, text: str) -> None:
        with redis_errors("marking Redis"), self._redis.pipeline(transaction=False) as pipe:
            for number in range(MARKS):
                pipe.set(_key(number), text)
            pipe.execute()


def compare(name: str | None, marks: list[Any]) -> LifeState:
    """What Redis is, by what the ledger's table and its own marks say."""
    found = set(marks)
    rebuilding = len(found) == 1 and str(marks[0]).startswith(_REBUILDING)
    if rebuilding:
        return LifeState.REBUILDING
    if name is None:
        return LifeState.NEW
    return LifeState.KEPT if found == {name} else LifeState.LOST


def _key(number: int) -> str:
    return f"life:{number}"
