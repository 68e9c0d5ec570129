"""Which errors of a call are worth another attempt, when, and until when: the policy of retries."""

from collections.abc import Callable
from typing import Final

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from trade_assets.errors import NotAskedError, RemoteUnavailableError, ThrottledError
from trade_assets.logs import get_logger
from trade_assets.remote.protection.limits import CallTally, Clock

log = get_logger(__name__)

FIRST_WAIT_SECONDS: Final = 0.25
LONGEST_WAIT_SECONDS: Final = 8.0
"""Of the interval that a wait is drawn from, which doubles from the first on."""

SHORTEST_SEND_SECONDS: Final = 0.1
"""A request with less time than this would only be wasted."""


def failed(error: BaseException) -> bool:
    """Did the API itself fail, so that another attempt may succeed?"""
    return isinstance(error, RemoteUnavailableError) and not isinstance(error, NotAskedError)


def asked_pause(error: BaseException | None) -> float:
    """Seconds that the API asked us to wait (`Retry-After`); 0 if it did not."""
    seconds = error.retry_after if isinstance(error, ThrottledError) else None
    return max(seconds or 0.0, 0.0)


def told(error: RemoteUnavailableError, tally: CallTally, *more: str) -> RemoteUnavailableError:
    """The error, its message telling how many attempts it took."""
    attempts = f"after {tally.attempts} attempt{'s' if tally.attempts > 1 else ''}"
    error.args = (f"{error} ({'; '.join((attempts, *more))})",)
    return error


def retrying(
    name: str, attempts: int, end: float, monotonic: Clock, sleep: Callable[[float], None]
) -> Retrying:
    """Retries of one call: exponential waits with full jitter, never shorter than the API asks.

    It gives up, with the last error as it is, after `attempts`, or when the next would come too
    late for `end` (in seconds of `monotonic`).
    """
    backoff = wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS)

    def wait(state: RetryCallState) -> float:
        return max(backoff(state), asked_pause(_error(state)))

    def stop(state: RetryCallState) -> bool:
        late = monotonic() + state.upcoming_sleep + SHORTEST_SEND_SECONDS > end
        return late or state.attempt_number >= attempts

    def note(state: RetryCallState) -> None:
        log.warning(
            "remote API failed, trying again",
            api=name,
            attempt=state.attempt_number,
            wait_seconds=round(state.upcoming_sleep, 3),
            error=str(_error(state)),
        )

    return Retrying(
        retry=retry_if_exception(failed),
        wait=wait,
        stop=stop,
        sleep=sleep,
        before_sleep=note,
        reraise=True,
    )


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
