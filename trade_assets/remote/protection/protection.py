"""The one way out to a remote API: every request of every client goes through `Protection.call`.

Before every request, in this order: the breaker says whether to ask at all, the day's budget (if
there is one) whether we still may, the second's limit when. The counts are in Redis, one for all
processes.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Generic, TypeVar
from uuid import uuid4

from trade_assets.errors import (
    BreakerOpenError,
    BudgetSpentError,
    NotAskedError,
    RemoteRejectedError,
    RemoteUnavailableError,
    ThrottledError,
)
from trade_assets.logs import get_logger
from trade_assets.remote.protection.breaker import Admission, CircuitBreaker, Verdict, Word
from trade_assets.remote.protection.counters import DayCounters, counters_of
from trade_assets.remote.protection.limits import (
    ApiLimits,
    CallTally,
    Clock,
    ProtectionState,
    counted,
)
from trade_assets.remote.protection.retry_policy import (
    SHORTEST_SEND_SECONDS,
    asked_pause,
    failed,
    retrying,
    told,
)
from trade_assets.remote.protection.windows import RollingWindow
from trade_assets.stores.redis.client import REDIS_ERRORS, redis_errors

if TYPE_CHECKING:
    import redis

log = get_logger(__name__)
T = TypeVar("T")

DAY_SECONDS: Final = 86_400
TICK_SECONDS: Final = 0.1
SECOND_TICKS: Final = 12
"""The window of the second's limit is 1.2 s: room for what lies between a permit and the API's own
clock, half of it ours (`PERMIT_SECONDS`), half the network's."""

PERMIT_SECONDS: Final = 0.1
"""A permit that took longer to come is not used: the second that it counts for has moved on."""

PROBE_POLL_SECONDS: Final = 0.1
"""Between two looks at what became of somebody else's probe."""

RACE_SECONDS: Final = 0.002
"""Waited beyond the moment in which room appears, and at least, where others want it too."""


@dataclass(slots=True)
class _Call(Generic[T]):
    """One call under way: what it sends, when it must be over, what it came to."""

    send: Callable[[float], T]
    end: float
    tally: CallTally = field(default_factory=lambda: CallTally(calls=1))
    error: RemoteUnavailableError | None = None


class Protection:
    """What stands between this project and one remote API. Thread-safe; make one per process.

    Attributes:
        limits: what it keeps to.
        tally: what the calls of this object came to; `state` tells it of all processes.
    """

    def __init__(
        self,
        limits: ApiLimits,
        redis_client: "redis.Redis",
        *,
        clock: Clock = time.time,
        monotonic: Clock = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`redis_client` is one of `stores.redis.client.connect`; the caller closes it."""
        self.limits = limits
        self.tally = CallTally()
        self._redis = redis_client
        self._clock, self._monotonic, self._sleep = clock, monotonic, sleep
        self._lock = threading.Lock()
        self._breaker = CircuitBreaker(limits, redis_client, clock)
        self._counters = DayCounters(limits.name, clock)
        self._second = RollingWindow(
            redis_client,
            (limits.name, "second"),
            limits.per_second,
            SECOND_TICKS,
            clock,
            TICK_SECONDS,
        )
        self._day = day_window(limits, redis_client, clock)

    def call(
        self,
        send: Callable[[float], T],
        *,
        deadline: float | None = None,
        attempts: int | None = None,
    ) -> T:
        """What `send` returns, asked as often as it takes and the limits allow.

        Args:
            send: makes one request; its argument is how many seconds that may take. Its errors say
                what they are worth: RemoteUnavailableError (and ThrottledError, with what
                `Retry-After` says) another attempt, everything else none.
            deadline: in seconds of `time.monotonic`; the call ends by `call_seconds` anyway.
            attempts: most requests, where some of the limits' are used up (by former hops).

        Raises:
            NotAskedError: nothing was sent: the breaker is open (BreakerOpenError), the day's
                budget is used up (BudgetSpentError), the API wants to be left alone or has no
                room before the deadline, or requests cannot be counted.
            RemoteUnavailableError: the last failure; its message tells the attempts.
            RemoteRejectedError: the API refuses.
        """
        end = self._monotonic() + self.limits.call_seconds
        call = _Call(send, end if deadline is None else min(end, deadline))
        most = min(self.limits.attempts, attempts or self.limits.attempts)
        retries = retrying(self.limits.name, most, call.end, self._monotonic, self._waiting(call))
        try:
            answer: T = retries(self._attempt, call)
            return answer
        except NotAskedError as refusal:
            call.tally.refused += 1
            if call.error is None:
                raise
            raise told(call.error, call.tally, f"then not asked: {refusal}") from refusal
        except RemoteUnavailableError as error:
            told(error, call.tally)
            raise
        finally:
            self._note(call)

    def state(self) -> ProtectionState:
        """How it stands, over all processes.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors(f"reading the protection of {self.limits.name}"):
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hgetall(self._breaker.key)
                pipe.hgetall(self._counters.key)
                breaker, counters = pipe.execute()
            used = None if self._day is None else self._day.usage().used
        view = self._breaker.view(breaker)
        return ProtectionState(
            name=self.limits.name,
            breaker=view.state,
            failures=view.failures,
            open_seconds_left=view.open_seconds_left,
            budget_used=used,
            budget_limit=self.limits.per_day,
            per_second=self.limits.per_second,
            counters=counters_of(counters),
            paused_seconds=view.paused_seconds,
        )

    def _attempt(self, call: _Call[T]) -> T:
        token = uuid4().hex
        admission = self._admit(call, token)
        try:
            self._spend()
            self._wait_for_room(call)
            answer = self._sent(call)
        except BaseException as error:
            self._settle(admission, token, error)
            raise
        self._settle(admission, token, None)
        return answer

    def _admit(self, call: _Call[T], token: str) -> Admission:
        while True:
            self._check_time(call)
            with counted(self.limits.name):
                admission = self._breaker.admit(token)
            if admission.granted:
                return admission
            # What a probe finds out is known soon; calls beside it must not be lost meanwhile.
            seconds = PROBE_POLL_SECONDS if admission.word is Word.PROBED else admission.seconds
            if admission.word is Word.OPEN or not self._fits(call, seconds):
                raise self._refusal(admission)
            self._waiting(call)(seconds + RACE_SECONDS)

    def _refusal(self, admission: Admission) -> NotAskedError:
        name, seconds = self.limits.name, f"{admission.seconds:.1f} s"
        if admission.word is Word.PAUSED:
            return NotAskedError(f"{name}: asked to be left alone for another {seconds}")
        after = f"after {admission.failures} failures in a row"
        if admission.word is Word.PROBED:
            return BreakerOpenError(f"{name}: breaker half open {after}; somebody is probing it")
        until = datetime.fromtimestamp(self._clock() + admission.seconds, UTC)
        return BreakerOpenError(f"{name}: breaker open {after}, until {until:%H:%M:%S} UTC")

    def _spend(self) -> None:
        if self._day is None:
            return
        with counted(self.limits.name):
            if self._day.take():
                return
            usage = self._day.usage()
        free = datetime.fromtimestamp(usage.frees_at, UTC).isoformat(timespec="seconds")
        raise BudgetSpentError(
            f"{self.limits.name}: {usage.used} of {self.limits.per_day} requests of 24 hours are "
            f"used; the oldest is freed at {free}"
        )

    def _wait_for_room(self, call: _Call[T]) -> None:
        while True:
            self._check_time(call)
            asked = self._clock()
            with counted(self.limits.name):
                taken = self._second.take()
                usage = None if taken else self._second.usage()
            if usage is None:
                if 0 <= self._clock() - asked <= PERMIT_SECONDS:
                    return
                continue
            wait = max(usage.frees_at - self._clock(), 0.0) + RACE_SECONDS
            if not self._fits(call, wait):
                raise NotAskedError(
                    f"{self.limits.name}: {self.limits.per_second} requests a second are taken, "
                    f"and the next is free in {wait:.2f} s: too late for this call"
                )
            self._waiting(call)(wait)

    def _sent(self, call: _Call[T]) -> T:
        self._check_time(call)  # The last permit may have taken what was left.
        call.tally.attempts += 1
        call.tally.retries += call.tally.attempts > 1
        try:
            return call.send(call.end - self._monotonic())
        except RemoteUnavailableError as error:
            if failed(error):
                call.error = error
                call.tally.failures += 1
                call.tally.throttled += isinstance(error, ThrottledError)
            raise

    def _settle(self, admission: Admission, token: str, error: BaseException | None) -> None:
        """Tell the breaker. The answer is there and must not be lost if that fails."""
        verdict = _verdict(error)
        if verdict is Verdict.RELEASE and admission.word is not Word.PROBE:
            return
        try:
            self._breaker.settle(token, verdict, asked_pause(error))
        except REDIS_ERRORS as lost:
            log.warning(
                "breaker not told", api=self.limits.name, verdict=verdict.value, error=str(lost)
            )

    def _check_time(self, call: _Call[T]) -> None:
        if not self._fits(call, 0.0):
            raise NotAskedError(f"{self.limits.name}: no time is left to ask before the deadline")

    def _fits(self, call: _Call[T], seconds: float) -> bool:
        return self._monotonic() + seconds + SHORTEST_SEND_SECONDS <= call.end

    def _waiting(self, call: _Call[T]) -> Callable[[float], None]:
        def wait(seconds: float) -> None:
            call.tally.waited_seconds += seconds
            self._sleep(seconds)

        return wait

    def _note(self, call: _Call[T]) -> None:
        with self._lock:
            self.tally.add(call.tally)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                self._counters.add(pipe, call.tally)
                pipe.execute()
        except REDIS_ERRORS as error:
            log.warning("calls not counted", api=self.limits.name, error=str(error))


def day_window(
    limits: ApiLimits, redis_client: "redis.Redis", clock: Clock
) -> RollingWindow | None:
    """The day's budget; None: the API has none.

    Rolling, so that it holds whichever zone the vendor's day is in. A request may go out as late
    as its call ends, so its entry stays as much longer.
    """
    if limits.per_day is None:
        return None
    ticks = DAY_SECONDS + math.ceil(limits.call_seconds) + 1
    return RollingWindow(redis_client, (limits.name, "day"), limits.per_day, ticks, clock)


def _verdict(error: BaseException | None) -> Verdict:
    if error is None:
        return Verdict.SUCCESS
    if failed(error):
        return Verdict.FAILURE
    answered = isinstance(error, RemoteRejectedError) and error.status is not None
    return Verdict.SUCCESS if answered else Verdict.RELEASE
