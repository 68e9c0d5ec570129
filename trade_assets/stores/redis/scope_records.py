"""Statements in Redis: which version of a scope holds, and what it says.

`statement:<source>:<name>:<day>:<scope name>` (no day where days succeed each other) is a hash:
`order` of the version that holds (its day first),
`said` by it and `former`: what an earlier one said and it does not, until that is removed (both
JSON, by record key the event times in microseconds), and `revision`, counted up by every change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY
from trade_assets.datasets.statements import (
    Said,
    Scope,
    Statement,
    StatementRule,
    micros,
    moment_of,
    scope_of_record,
)
from trade_assets.errors import StoreUnavailableError
from trade_assets.stores.redis.client import redis_errors, scope_of
from trade_assets.stores.redis.record_versions import Version, read_versions
from trade_assets.stores.redis.scripts import REPLACE_IF, Scripts
from trade_assets.stores.serialise import iso_text

if TYPE_CHECKING:
    import redis

# Sets the fields if nobody else has changed them since they were read.
_SWAP: Final = """
local revision = redis.call('HGET', KEYS[1], 'revision') or ''
if revision ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'order', ARGV[3], 'said', ARGV[4],
           'former', ARGV[5])
return 1
"""

_ROUNDS: Final = 50
"""Tries to change a scope that others change at the same time."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A scope as a version claimed it: what it says holds, and `former` is to be removed."""

    key: str
    order: str
    revision: str
    said: Said
    former: Said


class ScopeRecords:
    """The records of a data set's scopes, and which version of each scope holds."""

    def __init__(
        self, client: "redis.Redis", scripts: Scripts, dataset: Dataset, rule: StatementRule
    ) -> None:
        self._redis = client
        self._scripts = scripts
        self._rule = rule
        self._name = scope_of(dataset)

    def claim(self, statement: Statement) -> Claim | None:
        """Let a statement hold in its scope; None if a later version does, which stays."""
        held = self._rule.held(statement.scope)
        key = f"statement:{self._name}:{held.day}:{held.name}"
        order = f"{statement.scope.day}#{statement.version.order}"
        with redis_errors("claiming a statement's scope"):
            for _ in range(_ROUNDS):
                stored = _fields(self._redis, key)
                if stored["order"] > order:
                    return None
                before = _joined(_said(stored["former"]), _said(stored["said"]))
                if not stored["revision"] and self._rule.succeeds:
                    before = self._held_records(held)
                former = _without(before, statement.said)
                claimed = Claim(key, order, _next(stored["revision"]), statement.said, former)
                if _swap(self._redis, claimed, stored["revision"]):
                    return claimed
        raise StoreUnavailableError(f"{key}: changed by others faster than it can be read")

    def remove(self, scope: Scope, said: Said) -> set[str]:
        """Delete those of these records of a scope that Redis holds; the keys without a record."""
        keys, prefix, held = list(said), f"latest:{self._name}:", self._rule.held(scope)
        if not keys:
            return set()
        versions = read_versions(self._redis, self._name, keys)
        gone = set(keys) - {version.record_key for version in versions}
        calls: dict[str, list[str]] = {}
        for version in versions:
            times = {iso_text(moment_of(time)) for time in said[version.record_key]}
            # Another scope may say the same of this key: of two ledgers the same trade.
            if version.event_time in times and self._is_of(version, held):
                expected = [EVENT_TIME, FILE_KEY, version.event_time, version.file_key]
                calls[version.record_key] = expected
        deleted = self._scripts.run(
            REPLACE_IF, [(prefix + key, arguments) for key, arguments in calls.items()]
        )
        return gone | {key for key, done in zip(calls, deleted, strict=True) if done}

    def settle(self, statement: Statement, claimed: Claim) -> set[str]:
        """Note that what was former is removed. If another version holds by now, what we wrote and
        it does not say is removed again; the keys of that."""
        removed: set[str] = set()
        with redis_errors("settling a statement's scope"):
            stored = _fields(self._redis, claimed.key)
            if stored["revision"] == claimed.revision and claimed.former:
                done = replace(claimed, revision=_next(claimed.revision), former={})
                if _swap(self._redis, done, claimed.revision):
                    return removed
                stored = _fields(self._redis, claimed.key)
        if stored["revision"] != claimed.revision:
            removed = self.remove(statement.scope, _without(claimed.said, _said(stored["said"])))
        return removed

    def _held_records(self, held: Scope) -> Said:
        """All records of a scope that no version has claimed yet: of files that were stored before
        statements were."""
        keys = sorted(cast("set[str]", self._redis.smembers(f"keys:{self._name}")))
        return {
            version.record_key: (micros(datetime.fromisoformat(version.event_time)),)
            for version in read_versions(self._redis, self._name, keys)
            if self._is_of(version, held)
        }

    def _is_of(self, version: Version, held: Scope) -> bool:
        scope = scope_of_record(self._rule, version.file_key, version.trading_date)
        return scope is not None and self._rule.held(scope) == held

    def forget(self, keys: list[str]) -> None:
        """Take keys off the list of those that exist, unless a record came meanwhile."""
        listed = f"keys:{self._name}"
        with redis_errors("removing record keys"):
            self._redis.srem(listed, *keys)
            with self._redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.exists(f"latest:{self._name}:{key}")
                back = [key for key, there in zip(keys, pipe.execute(), strict=True) if there]
            if back:
                self._redis.sadd(listed, *back)


def _fields(client: "redis.Redis", key: str) -> dict[str, str]:
    values = cast("list[Any]", client.hmget(key, ["order", "said", "former", "revision"]))
    names = ("order", "said", "former", "revision")
    return {name: value or "" for name, value in zip(names, values, strict=True)}


def _swap(client: "redis.Redis", wanted: Claim, expected: str) -> bool:
    said, former = (orjson.dumps(part).decode() for part in (wanted.said, wanted.former))
    arguments = (expected, wanted.revision, wanted.order, said, former)
    return bool(client.eval(_SWAP, 1, wanted.key, *arguments))


def _said(text: str) -> dict[str, tuple[int, ...]]:
    parsed: Mapping[str, list[int]] = orjson.loads(text) if text else {}
    return {key: tuple(times) for key, times in parsed.items()}


def _joined(first: Said, second: Said) -> Said:
    joined = dict(first)
    for key, times in second.items():
        joined[key] = tuple(sorted({*joined.get(key, ()), *times}))
    return joined


def _without(said: Said, others: Said) -> Said:
    left = {}
    for key, times in said.items():
        remaining = tuple(time for time in times if time not in others.get(key, ()))
        if remaining:
            left[key] = remaining
    return left


def _next(revision: str) -> str:
    return str(int(revision or "0") + 1)
