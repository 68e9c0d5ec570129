"""Circuit breaker in Redis, one for all processes: who may ask an API that keeps failing.

Closed, everybody may. So many failures in a row, of whoever, open it: nobody may. After a while it
is half open: exactly one request goes out as a probe, under a lease that ends should its process
die. The probe's success closes the breaker, its failure opens it again.

An API that says how long to wait (`Retry-After`) is left alone as long by everybody: a pause.

No library does this: those that keep a breaker in Redis (pybreaker) read and write it in several
steps, so that two processes can both be the probe, or lose a failure between them. Here every step
is one script on one key, `protection:<name>:breaker`, a hash: `failures`, `open_until` (absent
means closed), `probe`, `probe_until`, `pause_until`; times in seconds of the epoch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, cast

from trade_assets.remote.protection.limits import KEY_PREFIX, ApiLimits, BreakerState, Clock

if TYPE_CHECKING:
    import redis

LONGEST_PAUSE_SECONDS: Final = 3600.0
"""A longer `Retry-After` is asked about again after this: it may be a mistake, or have passed."""

LEASE_SPARE_SECONDS: Final = 2.0
"""A probe's lease is this much longer than a call may take."""

KEPT_SECONDS: Final = 86_400
"""What is said of an API that nobody asked for so long is forgotten."""

_STEP: Final = """
local key, step, token, now = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local threshold, open_seconds = tonumber(ARGV[4]), tonumber(ARGV[5])
local lease_seconds, longest_pause = tonumber(ARGV[6]), tonumber(ARGV[7])
local asked_pause, kept = tonumber(ARGV[8]), ARGV[9]

-- Seconds until the time in a field. A clock that was put back must not make them more than `most`.
local function left(field, most)
  local till = tonumber(redis.call('HGET', key, field) or '')
  if not till then return 0 end
  if till - now > most then
    till = now + most
    redis.call('HSET', key, field, till)
  end
  return math.max(till - now, 0)
end

local function answer(word, seconds)
  local failures = tonumber(redis.call('HGET', key, 'failures') or '0')
  return {word, string.format('%.6f', seconds), failures}
end

local is_open = redis.call('HEXISTS', key, 'open_until') == 1
local is_probe = is_open and redis.call('HGET', key, 'probe') == token

if step == 'admit' then
  local wait = left('pause_until', longest_pause)
  if wait > 0 then return answer('paused', wait) end
  if not is_open then return answer('closed', 0) end
  wait = left('open_until', open_seconds)
  if wait > 0 then return answer('open', wait) end
  wait = left('probe_until', lease_seconds)
  if wait > 0 and not is_probe then return answer('probed', wait) end
  redis.call('HSET', key, 'probe', token, 'probe_until', now + lease_seconds)
  return answer('probe', 0)
end

if step == 'success' then
  -- A pause stays: another request may have been told of it meanwhile.
  if is_probe then redis.call('HDEL', key, 'failures', 'open_until', 'probe', 'probe_until') end
  -- Of a request that went out before it opened: the breaker waits for its probe.
  if not is_open then redis.call('HDEL', key, 'failures') end
  return answer('done', 0)
end

if step == 'release' then
  if is_probe then redis.call('HDEL', key, 'probe', 'probe_until') end
  return answer('done', 0)
end

if asked_pause > left('pause_until', longest_pause) then
  redis.call('HSET', key, 'pause_until', now + math.min(asked_pause, longest_pause))
end
if is_probe or not is_open then
  local failures = redis.call('HINCRBY', key, 'failures', 1)
  if is_probe or failures >= threshold then
    redis.call('HSET', key, 'open_until', now + open_seconds)
    redis.call('HDEL', key, 'probe', 'probe_until')
  end
end
redis.call('EXPIRE', key, kept)
return answer('done', 0)
"""


class Verdict(StrEnum):
    """What became of an admitted request."""

    SUCCESS = "success"  # the API answered
    FAILURE = "failure"  # it failed
    RELEASE = "release"  # it was not asked after all, or nobody knows


class Word(StrEnum):
    """What the breaker says to one who wants to ask."""

    CLOSED = "closed"  # go on
    PROBE = "probe"  # go on, as the probe
    OPEN = "open"  # not before `seconds` are over
    PROBED = "probed"  # somebody else is probing, for `seconds` at most
    PAUSED = "paused"  # the API wants to be left alone for another `seconds`


@dataclass(frozen=True, slots=True)
class Admission:
    """Answer to one who wants to ask: the word, its seconds, and the failures in a row."""

    word: Word
    seconds: float
    failures: int

    @property
    def granted(self) -> bool:
        """Whether the request may go out."""
        return self.word in (Word.CLOSED, Word.PROBE)


@dataclass(frozen=True, slots=True)
class BreakerView:
    """What a reader sees; `open_seconds_left` is 0 unless it is open."""

    state: BreakerState
    failures: int
    open_seconds_left: float
    paused_seconds: float


class CircuitBreaker:
    """The breaker of one API. Thread-safe. Errors of redis-py leave its methods as they are."""

    def __init__(self, limits: ApiLimits, client: "redis.Redis", clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._step = client.register_script(_STEP)
        self.key = f"{KEY_PREFIX}:{limits.name}:breaker"

    def admit(self, token: str) -> Admission:
        """May the request with this token go out? Tokens are never used again."""
        word, seconds, failures = self._run("admit", token)
        return Admission(Word(word), float(seconds), int(failures))

    def settle(self, token: str, verdict: Verdict, pause_seconds: float = 0.0) -> None:
        """Tell what became of an admitted request, and how long the API wants to be left alone."""
        self._run(verdict.value, token, pause_seconds)

    def view(self, fields: Mapping[str, str]) -> BreakerView:
        """What the fields of the key say now."""
        now = self._clock()
        opened, failures = fields.get("open_until"), int(fields.get("failures", 0))
        open_left = _left(opened, now, self._limits.breaker_open_seconds)
        paused = _left(fields.get("pause_until"), now, LONGEST_PAUSE_SECONDS)
        if opened is None:
            return BreakerView(BreakerState.CLOSED, failures, 0.0, paused)
        state = BreakerState.OPEN if open_left > 0 else BreakerState.HALF_OPEN
        return BreakerView(state, failures, open_left, paused)

    def _run(self, step: str, token: str, pause_seconds: float = 0.0) -> list[Any]:
        limits = self._limits
        arguments: list[str | int | float] = [
            step,
            token,
            self._clock(),
            limits.breaker_failures,
            limits.breaker_open_seconds,
            limits.call_seconds + LEASE_SPARE_SECONDS,
            LONGEST_PAUSE_SECONDS,
            pause_seconds,
            KEPT_SECONDS + int(limits.breaker_open_seconds),
        ]
        return cast("list[Any]", self._step([self.key], arguments))


def _left(until: str | None, now: float, most: float) -> float:
    return 0.0 if until is None else min(max(float(until) - now, 0.0), most)
