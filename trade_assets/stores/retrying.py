"""Trying again while a store is away: the one policy of retries, and who owns it.

A store tries its own calls again, so that nobody above it has to: methods marked `retried`, by the
store's `Retries`. Over `Connections` all stores have the same one.
"""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

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

P = ParamSpec("P")
R = TypeVar("R")


class Retries:
    """How long calls are tried again, until somebody ends that. Thread-safe.

    Args:
        seconds: the bound of each call; 0: an error is raised at once.
    """

    def __init__(self, seconds: float) -> None:
        self._patience_seconds = seconds
        self._hurried = False
        self._aborted = threading.Event()

    @property
    def seconds(self) -> float:
        """The bound of a call that begins now."""
        return 0.0 if self._hurried else self._patience_seconds

    def hurry(self, hurried: bool) -> None:
        """Try nothing again (True) until further notice (False): while a store is known to be away
        and somebody else looks when it is back."""
        self._hurried = hurried

    @property
    def ended(self) -> bool:
        """Whether somebody has ended it: errors from then on say nothing about the store."""
        return self._aborted.is_set()

    def abort(self) -> None:
        """End all waiting now; from here on every error is raised at once."""
        self._aborted.set()

    @contextmanager
    def ended_by_interruption(self) -> Iterator[None]:
        """Waits for other threads' calls in here: if that is interrupted (the run is terminated),
        they try no more, for nobody waits for them and the process could not end."""
        try:
            yield
        except Exception:
            raise
        except BaseException:
            self.abort()
            raise

    def beside_each_other(
        self, pool: Executor, function: Callable[[Any], Any], items: Iterable[Any]
    ) -> list[Any]:
        """Call `function`, which tries again as these say, on every item in the threads of a pool;
        the first error is raised.

        An interruption (the run is terminated) ends the pool too: if it comes while a thread
        starts, the interpreter does not know that thread, and would wait for it for ever at its
        end.
        """
        try:
            with self.ended_by_interruption():
                return list(pool.map(function, items))
        except Exception:
            raise
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise

    def wait_after(self, error: TransientError) -> bool:
        """Wait a moment after a first failure; whether to try again at all."""
        seconds = self.seconds
        if not seconds or self._aborted.is_set():
            return False
        log.warning("store is away, trying again", attempt=1, error=str(error))
        longest = min(FIRST_WAIT_SECONDS, seconds)
        return not self._aborted.wait(random.uniform(0, longest))  # noqa: S311 - jitter

    def policy(self) -> Retrying:
        """For one call, or one loop of attempts."""
        return retrying(self.seconds, self._aborted)


NO_RETRIES: Final = Retries(0)
"""For whoever has a policy of his own, or somebody waiting."""


class Retried(Protocol):
    """A store that owns the retries of its calls."""

    @property
    def retries(self) -> Retries: ...


S = TypeVar("S", bound=Retried)


def retried(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """A method that is called again while it fails for a passing reason, as `retries` says.

    What it does must bear being done again. The last error is raised as it is.
    """

    @wraps(method)
    def tried(store: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            # A policy costs 30 µs a call, which a store that answers does not have to pay.
            return method(store, *args, **kwargs)
        except TransientError as error:
            if not store.retries.wait_after(error):
                raise
        return store.retries.policy()(method, store, *args, **kwargs)

    return tried


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
