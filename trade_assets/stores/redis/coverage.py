"""Coverage: for which stretches of event time a data set's files have come, in Redis.

What is kept grows with the spaces between files, not with the files. Whether a space is a gap is
`feeds.cadence`'s business.

Key: `coverage:<source>:<feed>` sorted set, a member a stretch: its first event time, with its last
one as the score; both in microseconds since the epoch.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import redis

from trade_assets.datasets.dataset import Dataset
from trade_assets.market.trading_days import EPOCH
from trade_assets.stores.redis.client import redis_errors, scope_of
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried

MOST_INTERVALS: Final = 1000
"""Stretches kept for a data set: the newest."""

KEPT: Final = timedelta(days=32)
"""A stretch that ended longer than this before the newest event time is forgotten."""

_MICROSECOND: Final = timedelta(microseconds=1)

# Numbers of Lua are doubles: microseconds are exact in them until 2255, but must be written with
# %.0f. At the end of the loop no kept stretch is within `join` of the new one.
# What is dated later than anything can be now is no coverage: kept, it would make all that really
# came too old to keep.
_ADD: Final = """
local function text(number) return string.format('%.0f', number) end
local join, kept, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local latest = tonumber(ARGV[4])
local ahead = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. text(latest), '+inf')
for _, first in ipairs(ahead) do
  redis.call('ZREM', KEYS[1], first)
  if tonumber(first) <= latest then redis.call('ZADD', KEYS[1], text(latest), first) end
end
for i = 5, #ARGV, 2 do
  local first, last = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  while true do
    local near = redis.call('ZRANGEBYSCORE', KEYS[1], text(first - join), '+inf',
                            'WITHSCORES', 'LIMIT', 0, 1)
    if not near[1] or tonumber(near[1]) > last + join then break end
    redis.call('ZREM', KEYS[1], near[1])
    first, last = math.min(first, tonumber(near[1])), math.max(last, tonumber(near[2]))
  end
  redis.call('ZADD', KEYS[1], text(last), text(first))
end
local newest = tonumber(redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or 0)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. text(newest - kept))
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - most)
return redis.call('ZCARD', KEYS[1])
"""


# Only as they were read: another writer may have joined one to what really came.
_REMOVE: Final = """
for i = 1, #ARGV, 2 do
  local last = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if last and tonumber(last) == tonumber(ARGV[i + 1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
"""


class Coverage:
    """Covered stretches of event time of every data set. Thread-safe.

    Args:
        redis_client: of a server or a cluster, as `stores.redis.client.connect` makes it.
        ahead_seconds: an event time so far ahead of the clock, and no further, can be
            (`Dataset.latest_time`).
    """

    def __init__(
        self,
        redis_client: "redis.Redis",
        retries: Retries = NO_RETRIES,
        ahead_seconds: float = 300.0,
    ) -> None:
        self._redis = redis_client
        self._retries = retries
        self._ahead_seconds = ahead_seconds

    @property
    def retries(self) -> Retries:
        """Of every call."""
        return self._retries

    @retried
    def add(self, dataset: Dataset, event_times: Sequence[datetime], join_seconds: float) -> None:
        """Note that files with these (aware) event times have come, in any order, however often.

        An event time within `join_seconds` of a stretch, by the clock, extends it; one between two
        stretches may make them one. No gap is lost as long as `join_seconds` is not above the
        data set's `gap_seconds`: time of the clock is never less than open time.

        Raises:
            StoreUnavailableError: Redis cannot be reached; adding the same again is right.
        """
        join = round(join_seconds * 1_000_000)
        latest = _micros(dataset.latest_time(datetime.now(UTC), self._ahead_seconds))
        stretches = _stretches(event_times, join, latest)
        if not stretches:
            return
        bounds = [bound for stretch in stretches for bound in stretch]
        with redis_errors("noting what a data set has covered"):
            # Sent whole: at one call a file its size does not matter, and no server can lack it.
            self._redis.eval(
                _ADD, 1, _key(dataset), join, KEPT // _MICROSECOND, MOST_INTERVALS, latest, *bounds
            )

    @retried
    def take_back(self, dataset: Dataset, event_times: Iterable[datetime]) -> None:
        """Forget the stretches that reach from one of these (aware) event times to another: there
        were no such files.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        wrong = set(event_times)
        bounds = [
            _micros(bound)
            for stretch in self.intervals(dataset)
            if wrong.issuperset(stretch)
            for bound in stretch
        ]
        if bounds:
            with redis_errors("taking back what a data set has not covered"):
                self._redis.eval(_REMOVE, 1, _key(dataset), *bounds)

    @retried
    def intervals(
        self, dataset: Dataset, since: datetime | None = None
    ) -> list[tuple[datetime, datetime]]:
        """First and last event time (UTC) of each covered stretch; sorted, disjoint.

        With `since`, those that ended at that time or later, and the one before them: the space
        between may be a gap.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("reading what a data set has covered"):
            # All at once: a second command might see what a writer has merged in between.
            answer = cast("list[Any]", self._redis.zrange(_key(dataset), 0, -1, withscores=True))
        found = [(_time(int(first)), _time(int(last))) for first, last in answer]
        if since is None:
            return found
        ended = sum(last < since for _, last in found)
        return found[max(0, ended - 1) :]


def _stretches(event_times: Iterable[datetime], join: int, latest: int) -> list[tuple[int, int]]:
    """Event times up to `latest` as the newest stretches, in microseconds, each more than `join`
    from the next."""
    stretches: list[tuple[int, int]] = []
    for at in sorted(micros for micros in map(_micros, event_times) if micros <= latest):
        if stretches and at - stretches[-1][1] <= join:
            stretches[-1] = (stretches[-1][0], at)
        else:
            stretches.append((at, at))
    return stretches[-MOST_INTERVALS:]


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def _time(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def _key(dataset: Dataset) -> str:
    return f"coverage:{scope_of(dataset)}"
