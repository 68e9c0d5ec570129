"""What the protection layer is given and what it shows. Nothing is asked or stored here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from trade_assets.errors import NotAskedError, StoreRejectedError, StoreUnavailableError
from trade_assets.stores.redis.client import redis_errors

Clock = Callable[[], float]
"""Seconds, of the epoch (`time.time`) or of anything that never goes back (`time.monotonic`)."""

KEY_PREFIX: Final = "protection"
"""First part of every Redis key of this layer: `protection:<name of the API>:…`."""


@dataclass(frozen=True, slots=True)
class ApiLimits:
    """How often a remote API may be asked, and how patient its caller is.

    Attributes:
        name: of what is limited, `<api>:<environment or key>`. All processes that use one name
            share one count.
        per_second: most requests in any second.
        per_day: most requests in any 24 hours; None: no such budget, and nothing is counted for it.
        attempts: most requests of one call.
        call_seconds: how long one call may take, with all waiting and retries.
        breaker_failures: so many failures in a row, of whoever, open the circuit breaker.
        breaker_open_seconds: how long it stays open before one request probes the API.
    """

    name: str
    per_second: int
    per_day: int | None
    attempts: int
    call_seconds: float
    breaker_failures: int
    breaker_open_seconds: float

    def __post_init__(self) -> None:
        for item in fields(self)[1:]:
            value = getattr(self, item.name)
            if value is not None and not value > 0:
                raise ValueError(f"{item.name} of the limits of {self.name} is not positive")


class BreakerState(StrEnum):
    """Of the circuit breaker."""

    CLOSED = "closed"  # everybody may ask
    OPEN = "open"  # nobody may
    HALF_OPEN = "half-open"  # one may, as a probe


@dataclass(frozen=True, slots=True)
class ProtectionState:
    """How it stands with one API, over all processes that ask it.

    Attributes:
        name: of `ApiLimits`.
        breaker: state of the circuit breaker.
        failures: failures in a row.
        open_seconds_left: until an open breaker lets a probe through; 0 if it is not open.
        budget_used: requests of the last 24 hours; None without a budget.
        budget_limit: most of them; None without a budget.
        per_second: most requests in a second.
        counters: of the current UTC day: `calls`, `attempts`, `retries`, `throttled`, `failures`
            and `refused` as in `CallTally`; all are there.
        paused_seconds: how much longer the API asked us to wait (`Retry-After`).
    """

    name: str
    breaker: BreakerState
    failures: int
    open_seconds_left: float
    budget_used: int | None
    budget_limit: int | None
    per_second: int
    counters: Mapping[str, int]
    paused_seconds: float = 0.0

    @property
    def budget_percent(self) -> float | None:
        """How much of the day's budget is used, in percent; None without a budget."""
        if self.budget_used is None or self.budget_limit is None:
            return None
        return 100 * self.budget_used / self.budget_limit


@dataclass(slots=True)
class CallTally:
    """What calls came to.

    Attributes:
        calls: calls begun.
        attempts: requests sent.
        retries: of them, those that were not the first of their call.
        throttled: of them, those that the API refused as too many.
        failures: of them, those that failed transiently (throttled ones too).
        refused: calls that this layer ended because it let no request out, or no further one.
        waited_seconds: spent waiting for room, a pause or a retry.
    """

    calls: int = 0
    attempts: int = 0
    retries: int = 0
    throttled: int = 0
    failures: int = 0
    refused: int = 0
    waited_seconds: float = 0.0

    def add(self, other: "CallTally") -> None:
        """Add another's figures to these."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))

    def counts(self) -> dict[str, int]:
        """The figures that are numbers of something."""
        return {name: getattr(self, name) for name in COUNTERS}


COUNTERS: Final = ("calls", "attempts", "retries", "throttled", "failures", "refused")


@contextmanager
def counted(name: str) -> Iterator[None]:
    """Context of what must be counted before a request may go out: no count, no request.

    Raises:
        NotAskedError: Redis is away or refuses. Asking uncounted could cost the key.
    """
    try:
        with redis_errors("counting requests"):
            yield
    except (StoreUnavailableError, StoreRejectedError) as error:
        raise NotAskedError(
            f"{name}: its requests cannot be counted now, so none is made: {error}"
        ) from error
