"""Rolling windows in Redis: how many requests were made lately, whoever made them.

The library `limits` does the counting (its moving window: a list of times, a script that admits
atomically). A token bucket would let twice its size through in one window: a full bucket at once,
and what refills meanwhile. A moving window never does.

The one time is the injected clock's, which the hosts that share an API must agree on (NTP).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from trade_assets.remote.protection.limits import KEY_PREFIX, Clock

if TYPE_CHECKING:
    import redis


@dataclass(frozen=True, slots=True)
class Usage:
    """What of a window is in use.

    Attributes:
        used: entries of the window.
        frees_at: when the oldest of them leaves it, in seconds of the clock; now, if there is none.
    """

    used: int
    frees_at: float


# The newest first, as the library's own script has them.
_PUT_BACK: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
for i = 2, #ARGV, 1000 do
  redis.call('RPUSH', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""


class RollingWindow:
    """At most `amount` entries in any `ticks * tick_seconds`, over all processes. Thread-safe.

    `limits` knows only windows of whole numbers, and keeps their keys as many seconds. Counting in
    ticks gives windows of parts of a second, whose keys outlive them.

    Errors of redis-py leave its methods as they are.
    """

    def __init__(
        self,
        client: "redis.Redis",
        name: tuple[str, ...],
        amount: int,
        ticks: int,
        clock: Clock,
        tick_seconds: float = 1.0,
    ) -> None:
        self._name = name
        self._amount = amount
        self._tick_seconds = tick_seconds
        self._item = _Window(amount, ticks)
        self._client = client
        storage = _ClockedStorage(client, lambda: clock() / tick_seconds)
        self._key = storage.prefixed_key(self._item.key_for(*name))
        self._limiter = MovingWindowRateLimiter(storage)

    def take(self) -> bool:
        """Enter the window if there is room; whether there was."""
        return self._limiter.hit(self._item, *self._name)

    def usage(self) -> Usage:
        """What is in use now."""
        stats = self._limiter.get_window_stats(self._item, *self._name)
        return Usage(self._amount - stats.remaining, stats.reset_time * self._tick_seconds)

    def forgotten(self) -> bool:
        """Whether Redis has no count at all: nothing was entered lately, or it was lost."""
        return not self._client.exists(self._key)

    def put_back(self, entries: Iterable[float]) -> bool:
        """Enter what was counted before Redis forgot it, as times of the clock; whether it was
        done. Nothing is done where anything is counted."""
        ticks = sorted((entry / self._tick_seconds for entry in entries), reverse=True)
        newest = ticks[: self._amount]
        if not newest:
            return False
        expiry = self._item.get_expiry()
        return bool(self._client.eval(_PUT_BACK, 1, self._key, expiry, *newest))


class _Window(RateLimitItemPerSecond):
    """A limit whose key does not name its amount: another amount must not forget what was used."""

    __slots__: Final = ()

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        return ":".join(str(part) for part in identifiers)


class _ClockedStorage(RedisStorage):
    """The library's Redis storage with our clock and on our connections.

    The library's own reads `time.time` inside, and opens connections of its own from an URL, of
    another form for a cluster. Its scripts touch one key, so one class serves both.
    """

    def __init__(self, client: "redis.Redis", clock: Clock) -> None:
        # As RedisClusterStorage does: RedisStorage's own would make a client.
        super(RedisStorage, self).__init__()
        self.key_prefix = KEY_PREFIX
        self.storage = client
        self._clock = clock
        self.initialize_storage("")

    @property
    def base_exceptions(self) -> type[Exception]:
        return RedisError

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        arguments = [self._clock(), limit, expiry, amount]
        return bool(self.lua_acquire_moving_window([self.prefixed_key(key)], arguments))

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = self._clock()
        found = self.lua_moving_window([self.prefixed_key(key)], [now - expiry, limit])
        return (float(found[0]), int(found[1])) if found else (now - expiry, 0)
