"""Files that the bucket refuses: how long each waits, and how loudly it is said.

A refusal ends only when a person acts (a permission, a bucket), so tries are rare and the log
repeats itself at most once a minute for one kind of refusal, with the number of files.
"""

import time
from typing import Final

from trade_assets.agent.progress import printable
from trade_assets.logs import get_logger

FIRST_DELAY_SECONDS: Final = 5.0
MOST_DELAY_SECONDS: Final = 60.0
LOG_EVERY_SECONDS: Final = 60.0

_log = get_logger(__name__)


class Refusals:
    """Counts refusals by file; the delay doubles with each."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._logged: dict[str, float] = {}

    def note(self, name: str, reason: str, files: int) -> float:
        """Record a refusal; returns the seconds until the next try. `files`: all refused now."""
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        self._log(name, reason, files)
        # min() first: 2**count must not grow without bound.
        return float(min(MOST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(count, 10)))

    def forget(self, name: str) -> None:
        """The file was sent or is gone."""
        self._counts.pop(name, None)

    def _log(self, name: str, reason: str, files: int) -> None:
        now = time.monotonic()
        self._logged = {
            kind: at for kind, at in self._logged.items() if now - at < LOG_EVERY_SECONDS
        }
        kind = reason.replace(name, "*")
        if kind not in self._logged:
            self._logged[kind] = now
            _log.error("push refused", file=printable(name), reason=reason, refused_files=files)
