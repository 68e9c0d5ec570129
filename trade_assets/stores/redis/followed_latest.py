"""Newest records of one data set as they change, for a coroutine: all of it, and then what is new.

The stream of updates carries keys only; whoever follows reads what these keys are now, and so is
never told an older value after a newer one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from redis.asyncio import Redis as AsyncRedis

from trade_assets.datasets.described import Described
from trade_assets.stores.redis.client import redis_errors, scope_of
from trade_assets.stores.redis.latest_reader import RESERVED, set_key
from trade_assets.stores.redis.updates import ENTRIES, entries_of

READ_AT_ONCE: Final = 1000
"""Records of one pipeline: whoever else runs in the loop waits for no more than these."""

_NOTHING: Final = "0-0"
"""Before all entries of a stream."""

Texts = Mapping[str, str]
"""A record's fields by column name, as Redis has them."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What a look came to.

    Attributes:
        whole: `records` are all that there are; else those of keys that changed.
        records: by record key.
        gone: keys that changed and have no record any more.
    """

    whole: bool
    records: Mapping[str, Texts]
    gone: frozenset[str] = frozenset()


class FollowedLatest:
    """Follows one data set. For one coroutine.

    Every method raises StoreUnavailableError while Redis cannot be reached; `start` is to be called
    again then, for what was missed is not known.
    """

    def __init__(self, client: AsyncRedis, dataset: Described) -> None:
        self._redis = client
        self._dataset = dataset
        self._stream = f"updates:{scope_of(dataset)}"
        self._last = _NOTHING

    async def start(self) -> Followed:
        """All records, and from now on what changes after them."""
        with redis_errors("reading all records"):
            # First where the stream is: what changes meanwhile is read twice, and nothing missed.
            newest = await self._redis.xrevrange(self._stream, count=1)
            self._last = str(newest[0][0]) if newest else _NOTHING
            if self._dataset.replaced:
                return Followed(True, await self._set())
            keys = await cast("Any", self._redis.smembers(f"keys:{scope_of(self._dataset)}"))
            return Followed(True, await self._records(sorted(keys)))

    async def next(self, wait_seconds: float) -> Followed | None:
        """What changed since the last look; waits for it. None: nothing did.

        Where the stream was trimmed past the last look, or is another one, all is read again.
        """
        with redis_errors("following updates"):
            answer = await self._redis.xread(
                {self._stream: self._last}, count=ENTRIES, block=max(1, int(wait_seconds * 1000))
            )
            if not await self._is_there(self._last):
                return await self.start()
            entries = entries_of(answer)
            if not entries:
                return None
            self._last = entries[-1][0]
            if self._dataset.replaced:
                return Followed(True, await self._set())
            changed = dict.fromkeys(
                key
                for _, fields in entries
                for key in orjson.loads(fields.get("record_keys", "[]"))
            )
            records = await self._records(list(changed))
            return Followed(False, records, frozenset(changed.keys() - records.keys()))

    async def _is_there(self, entry: str) -> bool:
        """Whether an entry is still in the stream: then nothing behind it was trimmed."""
        return entry == _NOTHING or bool(await self._redis.xrange(self._stream, entry, entry))

    async def _set(self) -> dict[str, Texts]:
        fields = await cast("Any", self._redis.hgetall(set_key(self._dataset)))
        return {key: orjson.loads(text) for key, text in fields.items() if key not in RESERVED}

    async def _records(self, keys: Sequence[str]) -> dict[str, Texts]:
        prefix = f"latest:{scope_of(self._dataset)}:"
        found: dict[str, Texts] = {}
        for start in range(0, len(keys), READ_AT_ONCE):
            part = keys[start : start + READ_AT_ONCE]
            async with self._redis.pipeline(transaction=False) as pipe:
                for key in part:
                    pipe.hgetall(f"{prefix}{key}")
                answers: Iterable[Texts] = await pipe.execute()
            found.update(zip(part, answers, strict=True))
        return {key: texts for key, texts in found.items() if texts}
