"""Latest: the newest record of every key, in Redis. The guard that never lets it go back is here.

Keys (no command touches two slots, so it runs on a cluster):

* `latest:<source>:<feed>:<record_key>` hash of the record's fields; a null is an absent field
* `keys:<source>:<feed>` set of the record keys that exist
* `updates:<source>:<feed>` trimmed stream, an entry a write: what changed
* `status:<source>:<feed>` hash: last file, event time, ingest time, lag

Of two versions of a record the greater (event_time, file_key) is the newer; a file key begins with
its landing hour, so for one event time the later landing wins. The same version may be written
again: that repairs what was damaged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import orjson
import polars as pl
import redis
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

from trade_assets.errors import StoreRejectedError, StoreUnavailableError, TradeAssetsError
from trade_assets.feeds.base import EVENT_TIME, FILE_KEY, RECORD_KEY, ROW, Dataset
from trade_assets.settings import Settings
from trade_assets.stores.serialise import iso_text, iso_time, redis_fields, typed_frame

_GUARDED_WRITE: Final = """
local stored = redis.pcall('HMGET', KEYS[1], 'event_time', 'file_key')
local fields
if stored.err == nil and type(stored[1]) == 'string' and type(stored[2]) == 'string'
   and string.find(stored[1], '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$')
   and string.match(stored[2], '^.*/dt=') == string.match(ARGV[2], '^.*/dt=') then
  if stored[1] > ARGV[1] or (stored[1] == ARGV[1] and stored[2] > ARGV[2]) then
    return 0
  end
  if stored[1] == ARGV[1] and stored[2] == ARGV[2] then
    fields = cjson.decode(ARGV[3])
    local same = redis.call('HLEN', KEYS[1]) == #fields / 2
    if same then
      local names = {}
      for i = 1, #fields, 2 do names[#names + 1] = fields[i] end
      local values = redis.call('HMGET', KEYS[1], unpack(names))
      for i = 1, #values do
        if values[i] ~= fields[i * 2] then same = false end
      end
    end
    if same then return 0 end
  end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(fields or cjson.decode(ARGV[3])))
return 1
"""
"""Replace a record unless the stored one is newer or the very same; 1 if it changed anything.
What is not a hash with a readable event time and a file key of this feed is damaged, and replaced.
"""

_GUARDED_STATUS: Final = """
local stored = redis.pcall('HGET', KEYS[1], 'last_event_time')
if type(stored) == 'string'
   and string.find(stored, '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ$')
   and (stored > ARGV[1] or (stored == ARGV[1] and ARGV[2] == '0')) then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1
"""

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


@dataclass(frozen=True, slots=True)
class LatestWritten:
    """What a write did: of `records` newest records, `changed` replaced what Redis had."""

    records: int
    changed: int


def connect(settings: Settings) -> "redis.Redis":
    """A client of the configured server or cluster; values come back as text."""
    url = settings.redis_url.get_secret_value()
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_connect_timeout": 3,
        "socket_timeout": 10,
    }
    try:
        if settings.redis_cluster:
            return cast("redis.Redis", redis.RedisCluster.from_url(url, **options))
        return redis.Redis.from_url(url, **options)
    except REDIS_ERRORS as error:
        raise as_redis_error(error, f"connecting to {settings.redis_display_url}") from None


def disconnect(client: "redis.Redis") -> None:
    """Close a client of `connect` and all its connections."""
    if isinstance(client, redis.RedisCluster):
        # Its own `close` leaves the connections in the pools of its nodes open.
        client.disconnect_connection_pools()
    client.close()


class LatestStore:
    """Newest records in and out of Redis. Thread-safe."""

    def __init__(self, settings: Settings, client: "redis.Redis | None" = None) -> None:
        self._settings = settings
        self._redis = client if client is not None else connect(settings)
        self._sha: dict[str, str] = {}

    def write(self, feed: Dataset, records: pl.DataFrame) -> LatestWritten:
        """Offer records (`feed.record_schema`, of any number of files) as the newest ones.

        Raises:
            StoreUnavailableError: Redis cannot be reached; nothing or a part was written, and
                writing the same again is right.
        """
        newest = newest_records(records)
        if newest.is_empty():
            return LatestWritten(0, 0)
        keys = newest[RECORD_KEY].to_list()
        changed = self._write_guarded(feed, keys, newest)
        if changed:
            self._announce(feed, changed, newest)
        return LatestWritten(len(keys), len(changed))

    def write_status(
        self,
        feed: Dataset,
        file_key: str,
        event_time: datetime,
        ingest_time: datetime,
        lag_seconds: float,
        repair: bool = False,
    ) -> None:
        """Note a feed's newest file. `repair` writes only what is newer than, or not in, Redis."""
        fields = {
            "last_file": file_key,
            "last_event_time": iso_text(event_time),
            "last_ingest_time": iso_text(ingest_time),
            "lag_seconds": f"{lag_seconds:.6f}",
        }
        flat = [part for pair in fields.items() for part in pair]
        key = f"status:{scope_of(feed)}"
        again = "0" if repair else "1"
        self._scripted(_GUARDED_STATUS, [(key, [iso_text(event_time), again, *flat])])

    def read(self, feed: Dataset, record_keys: Iterable[str]) -> list[Mapping[str, str]]:
        """The newest records of those keys that exist, in the order asked."""
        prefix = f"latest:{scope_of(feed)}:"
        with redis_errors("reading latest records"), self._pipeline() as pipe:
            for key in record_keys:
                pipe.hgetall(f"{prefix}{key}")
            return [record for record in pipe.execute() if record]

    def frame(self, feed: Dataset, record_keys: Iterable[str]) -> pl.DataFrame:
        """The newest records of those keys that exist, typed as `feed.record_schema`."""
        return typed_frame(feed, self.read(feed, record_keys))

    def record_keys(self, feed: Dataset) -> list[str]:
        """Record keys that exist, sorted."""
        with redis_errors("reading record keys"):
            return sorted(cast("set[str]", self._redis.smembers(f"keys:{scope_of(feed)}")))

    def status(self, feed: Dataset) -> Mapping[str, str]:
        """A feed's status fields; empty before its first file."""
        with redis_errors("reading status"):
            return cast("dict[str, str]", self._redis.hgetall(f"status:{scope_of(feed)}"))

    def ping(self) -> None:
        """Raise StoreUnavailableError unless Redis answers."""
        with redis_errors(f"reaching {self._settings.redis_display_url}"):
            self._redis.ping()

    def close(self) -> None:
        """Give the connections back."""
        disconnect(self._redis)

    def _write_guarded(self, feed: Dataset, keys: list[str], newest: pl.DataFrame) -> list[str]:
        prefix = f"latest:{scope_of(feed)}:"
        versions = newest.select(iso_time(EVENT_TIME), FILE_KEY)
        calls = [
            (prefix + key, [event_time, file_key, fields])
            for key, (event_time, file_key), fields in zip(
                keys, versions.iter_rows(), redis_fields(newest), strict=True
            )
        ]
        # The set first: a record that exists without its key in the set would never be found.
        with redis_errors("writing record keys"):
            self._redis.sadd(f"keys:{scope_of(feed)}", *keys)
        results = self._scripted(_GUARDED_WRITE, calls)
        return [key for key, result in zip(keys, results, strict=True) if result]

    def _announce(self, feed: Dataset, changed: list[str], newest: pl.DataFrame) -> None:
        last = newest.select(iso_time(EVENT_TIME), FILE_KEY).row(-1)
        entry = {
            "event_time": last[0],
            "file_key": last[1],
            "count": len(changed),
            "record_keys": orjson.dumps(changed).decode(),
        }
        with redis_errors("announcing updates"):
            self._redis.xadd(
                f"updates:{scope_of(feed)}",
                cast("dict[Any, Any]", entry),
                maxlen=self._settings.updates_max_length,
                approximate=True,
            )

    def _scripted(self, script: str, calls: list[tuple[str, list[str]]]) -> list[int]:
        """Run a script for many keys in one round trip; it is loaded where a server lacks it."""
        results: list[Any] = [0] * len(calls)
        for _ in range(2):
            with redis_errors("writing latest records"), self._pipeline() as pipe:
                sha = self._sha.get(script) or self._load(script)
                for key, arguments in calls:
                    # By name: redis-py's cluster pipeline blocks the method, not the command.
                    pipe.execute_command("EVALSHA", sha, 1, key, *arguments)
                answers = pipe.execute(raise_on_error=False)
            # What was done before the script went missing must not look unchanged.
            results = [1 if old == 1 else new for old, new in zip(results, answers, strict=True)]
            if not any(isinstance(result, NoScriptError) for result in results):
                break
            self._sha.pop(script, None)
        for result in results:
            if isinstance(result, Exception):
                raise as_redis_error(result, "writing latest records")
        return cast("list[int]", results)

    def _load(self, script: str) -> str:
        sha = str(self._redis.script_load(script))
        self._sha[script] = sha
        return sha

    def _pipeline(self) -> Any:
        if self._settings.redis_cluster:
            return self._redis.pipeline()
        return self._redis.pipeline(transaction=False)


def newest_records(records: pl.DataFrame) -> pl.DataFrame:
    """Of every record key the newest version: greatest (event_time, file_key, row)."""
    if records.is_empty():
        return records
    one_file = records[FILE_KEY].n_unique() == 1
    if one_file and records[RECORD_KEY].n_unique() == records.height:
        return records
    return records.sort(EVENT_TIME, FILE_KEY, ROW).unique(
        RECORD_KEY, keep="last", maintain_order=True
    )


def as_redis_error(error: Exception, what: str) -> TradeAssetsError:
    """Translate an error of redis-py: transient where another try may help. No URL, no value."""
    passing = isinstance(error, _TRANSIENT) or str(error).startswith(_TRANSIENT_REPLIES)
    if passing or not isinstance(error, RedisError):
        return StoreUnavailableError(f"{what}: Redis: {type(error).__name__}: {error}")
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


def scope_of(feed: Dataset) -> str:
    """`<source>:<name>`, the end of every key that is about a data set as a whole."""
    return f"{feed.source}:{feed.name}"
