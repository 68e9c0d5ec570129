"""Waiting for something to become true, with a deadline instead of a bare sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.05
Seen = TypeVar("Seen")


def eventually(probe: Callable[[], Seen], seconds: float = 20.0, what: str = "") -> Seen:
    """Poll `probe` until it returns something true, and return that.

    Raises:
        AssertionError: it did not within `seconds`; with the last thing it returned.
    """
    deadline = time.monotonic() + seconds
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what or 'condition'} not met in {seconds} s; last: {seen!r}")
        time.sleep(POLL_SECONDS)
