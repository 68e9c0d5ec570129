"""The state store: alarm states in Redis, changed by one process at a time.

Keys (no command touches two slots, so it runs on a cluster):

* `alarm:<name>` JSON of the alarm's state (`alarm_state`); a day after the last episode it expires
* `alarm-lease:<name>` held by who tells its notices; expires, so a dead process holds up nothing
* `alarms` set of the names
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

import redis
from redis.exceptions import LockError
from redis.lock import Lock

from trade_assets.logs import get_logger
from trade_assets.monitor.alarms.alarm_state import AlarmState, from_text, to_text
from trade_assets.stores.redis.client import redis_errors

log = get_logger(__name__)

NAMES_KEY: Final = "alarms"
IDLE_SECONDS: Final = 24 * 3600
"""How long an alarm without an episode is remembered: long enough to know a late look."""

_SET_IF_SAME: Final = """
local stored = redis.call('GET', KEYS[1])
if (stored or '') ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
end
return 1
"""
"""Write a state only over the one that was read: a process whose lease ran out must not undo what
another has written since."""


class LeaseLostError(Exception):
    """Another process has this alarm now, or had it since; what it wrote counts."""


@dataclass(frozen=True, slots=True)
class OpenEpisode:
    """An alarm that is on."""

    name: str
    title: str
    detail: str
    began_at: datetime


class AlarmStateStore:
    """Alarm states of all processes. Thread-safe."""

    def __init__(self, client: "redis.Redis", lease_seconds: float) -> None:
        self._redis = client
        self._lease_seconds = lease_seconds

    def read(self, name: str) -> AlarmState:
        """The state of an alarm; an empty one if it never was on."""
        return _state(name, self._text(name))

    @contextmanager
    def hold(self, name: str) -> "Iterator[Held | None]":
        """The alarm, for one process at a time; None while another has it.

        Within, `LeaseLostError` ends the block quietly: somebody else carries on.
        """
        with redis_errors("taking an alarm"):
            lock = self._redis.lock(
                f"alarm-lease:{name}", timeout=self._lease_seconds, thread_local=False
            )
            mine = lock.acquire(blocking=False)
        if not mine:
            yield None
            return
        try:
            with suppress(LeaseLostError):
                yield Held(self._redis, lock, name, self._text(name))
        finally:
            # Not owned: the lease ran out, and perhaps another has it.
            with redis_errors("giving an alarm back"), suppress(LockError):
                lock.release()

    def open_episodes(self) -> list[OpenEpisode]:
        """Alarms that are on, by name.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("reading alarms"):
            names = sorted(cast("set[str]", self._redis.smembers(NAMES_KEY)))
        found = [(name, self.read(name).open) for name in names]
        return [
            OpenEpisode(name, episode.title, episode.detail, episode.began_at)
            for name, episode in found
            if episode is not None
        ]

    def _text(self, name: str) -> str:
        with redis_errors("reading an alarm"):
            return cast("str | None", self._redis.get(_key(name))) or ""


class Held:
    """An alarm that this process holds: its state, and the right to change it."""

    def __init__(self, client: "redis.Redis", lock: Lock, name: str, text: str) -> None:
        self._redis = client
        self._lock = lock
        self._name = name
        self._text = text
        self.state = _state(name, text)

    def renew(self) -> None:
        """Hold it for the whole lease again; raises LeaseLostError if it ran out."""
        with redis_errors("keeping an alarm"):
            try:
                self._lock.reacquire()
            except LockError:
                raise LeaseLostError(self._name) from None

    def write(self, state: AlarmState) -> None:
        """Store a state; raises LeaseLostError if another process has written since."""
        text = to_text(state)
        if text == self._text:
            return
        expiry = 0 if state.episodes else IDLE_SECONDS
        with redis_errors("writing an alarm"):
            # The name first: an alarm that is on without its name there would not be shown.
            self._redis.sadd(NAMES_KEY, self._name)
            done = self._redis.eval(_SET_IF_SAME, 1, _key(self._name), self._text, text, expiry)
        if not done:
            raise LeaseLostError(self._name)
        self._text, self.state = text, state


def _key(name: str) -> str:
    return f"alarm:{name}"


def _state(name: str, text: str) -> AlarmState:
    if not text:
        return AlarmState()
    try:
        return from_text(text)
    except (ValueError, TypeError, KeyError, AttributeError):
        # It is ours alone, so it is damaged; an alarm that is told again is better than none.
        log.warning("the state of an alarm cannot be read, starting afresh", alarm=name)
        return AlarmState()
