"""Trying again while a store is away: the one policy of retries, in front of every store."""

import threading
import time
from collections.abc import Callable

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from trade_assets.errors import TransientError
from trade_assets.logs import get_logger

log = get_logger(__name__)

FIRST_WAIT_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 5.0


def retrying(seconds: float, abort: threading.Event | None = None) -> Retrying:
    """Retries of transient errors: exponential waits with full jitter, for at most `seconds`.

    The last error is raised as it is. `abort` ends waiting and retrying at once.
    """
    after_delay = stop_after_delay(seconds)

    def stop(state: RetryCallState) -> bool:
        return (abort is not None and abort.is_set()) or after_delay(state)

    sleep: Callable[[float], object] = time.sleep if abort is None else abort.wait
    return Retrying(
        retry=retry_if_exception_type(TransientError),
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        stop=stop,
        sleep=sleep,  # type: ignore[arg-type]
        before_sleep=_log_retry,
        reraise=True,
    )


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("store is away, trying again", attempt=state.attempt_number, error=str(error))
