"""The limits of an application key: requests a second and a day (TT_API.md)."""

import time
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from trade_assets.simulators.tt.http_responses import Refusal

DAY_SECONDS: Final = 86_400


class KeyLimits:
    """Counts the calls of one key; no second holds more than `per_second`, whenever it begins.

    The vendor does not say how it counts. This is the strictest reading, but for the day, which is
    a UTC one: only an own rolling count fits into every kind of day.
    """

    def __init__(
        self, per_second: int, per_day: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._per_second = per_second
        self._per_day = per_day
        self._clock = clock
        self._recent: deque[float] = deque()
        self._day = 0
        self._today = 0

    @property
    def today(self) -> int:
        """Calls that counted today."""
        return self._today

    def count(self) -> None:
        """Count a call.

        Raises:
            Refusal: 429; it does not count then.
        """
        now = self._clock()
        if int(now // DAY_SECONDS) != self._day:
            self._day, self._today = int(now // DAY_SECONDS), 0
        while self._recent and not now - 1.0 < self._recent[0] <= now:
            self._recent.popleft()
        if self._today >= self._per_day:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Limit Exceeded: {self._per_day} requests a day",
            )
        if len(self._recent) >= self._per_second:
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Too Many Requests: {self._per_second} a second",
                {"Retry-After": "1"},
            )
        self._recent.append(now)
        self._today += 1
