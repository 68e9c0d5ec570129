"""What calls came to, per UTC day, over all processes: figures for people, nothing depends on them.

Key `protection:<name>:counters:<YYYY-MM-DD>`, a hash of the counts of `CallTally`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from trade_assets.remote.protection.limits import COUNTERS, KEY_PREFIX, CallTally, Clock

KEPT_SECONDS: Final = 8 * 86_400


class DayCounters:
    """The counters of one API. Errors of redis-py leave its methods as they are."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock

    @property
    def key(self) -> str:
        """Key of the current day."""
        day = datetime.fromtimestamp(self._clock(), UTC).date()
        return f"{KEY_PREFIX}:{self._name}:counters:{day.isoformat()}"

    def add(self, pipe: Any, tally: CallTally) -> None:
        """Queue on a pipeline what has to be added to the current day."""
        key = self.key
        for name, count in tally.counts().items():
            if count:
                pipe.hincrby(key, name, count)
        pipe.expire(key, KEPT_SECONDS)


def counters_of(fields: Mapping[str, str]) -> dict[str, int]:
    """Every counter, from the fields of a day's key."""
    return {name: int(fields.get(name, 0)) for name in COUNTERS}
