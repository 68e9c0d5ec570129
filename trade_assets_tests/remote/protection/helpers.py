"""A clock of the tests' own, protections around it, and what "never above the limit" means."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final
from uuid import uuid4

from trade_assets.errors import RemoteUnavailableError
from trade_assets.remote.protection.limits import ApiLimits
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect

Make = Callable[..., Protection]
"""Makes a protection: a name, where it shall share another's counts, and fields of its limits."""

START: Final = 1_763_719_200.0
LIMITS: Final = ApiLimits(
    name="test",
    per_second=50,
    per_day=1000,
    attempts=4,
    call_seconds=20.0,
    breaker_failures=5,
    breaker_open_seconds=60.0,
)


class FakeTime:
    """Time that passes only when somebody sleeps or says so. Thread-safe."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def clock(self) -> float:
        return START + self.passed

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.passed += seconds


class LastLook:
    """A clock that remembers what it last told each thread.

    The moment of a request is the last look at the clock before it: what a thread does between
    that and its `send` is in nobody's hands, and on a busy machine it may take long.
    """

    def __init__(self, clock: FakeTime | None = None) -> None:
        self._clock = clock.clock if clock else time.time
        self._local = threading.local()

    def __call__(self) -> float:
        self._local.last = self._clock()
        return self.last

    @property
    def last(self) -> float:
        last: float = self._local.last
        return last


def limits(**fields: object) -> ApiLimits:
    """`LIMITS` with other fields, under a name that no other test uses."""
    return replace(LIMITS, **{"name": f"test:{uuid4().hex}", **fields})  # type: ignore[arg-type]


@contextmanager
def protection(settings: Settings, kept: ApiLimits, time: FakeTime) -> Iterator[Protection]:
    """A protection on a connection of its own, as another process has it."""
    client = connect(settings)
    try:
        yield Protection(
            kept,
            client,
            clock=time.clock,
            monotonic=time.monotonic,
            sleep=time.sleep,
        )
    finally:
        disconnect(client)


def most_in_any(seconds: float, times: Sequence[float]) -> int:
    """The most of these times that any window of this length holds."""
    ordered = sorted(times)
    return max(
        (sum(start <= moment < start + seconds for moment in ordered) for start in ordered),
        default=0,
    )


class Api:
    """A remote API that answers what it is told to: errors are raised, all else is returned."""

    def __init__(self, time: FakeTime, *answers: object) -> None:
        self.timeouts: list[float] = []
        self.times: list[float] = []
        self._time = time
        self._answers = list(answers)

    def __call__(self, timeout: float) -> object:
        self.timeouts.append(timeout)
        self.times.append(self._time.clock())
        answer = self._answers.pop(0) if self._answers else "fine"
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def asked(self) -> int:
        return len(self.times)


def away(count: int) -> list[Exception]:
    return [RemoteUnavailableError("TT orders: 503") for _ in range(count)]
