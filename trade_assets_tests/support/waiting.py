"""Waiting for something to become true, for as long as it takes: one bound, and no bare sleep.

How fast the machine is decides how long a test takes, and never what it says.
"""

import time
from collections.abc import Callable
from typing import Final, TypeVar

PATIENCE_SECONDS: Final = 600.0
"""The bound of every wait for what must come: many times what it takes on a machine that is busy
with other things. Who waits so long waits for what does not come."""

POLL_SECONDS: Final = 0.05
Seen = TypeVar("Seen")


def eventually(probe: Callable[[], Seen], what: str = "") -> Seen:
    """Poll `probe` until it returns something true, and return that.

    Raises:
        AssertionError: it did not within `PATIENCE_SECONDS`; with the last thing it returned.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        seen = probe()
        if seen:
            return seen
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what or 'condition'} did not come; last: {seen!r}")
        time.sleep(POLL_SECONDS)
