"""What was asked of the simulator: counters, and the last requests without their secrets."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any, Final

KEPT: Final = 2_000
_WINDOW_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: when it came, what it asked, the names of its headers, the answer's status (0:
    the connection was cut)."""

    at_ns: int
    method: str
    path: str
    query: dict[str, str]
    headers: list[str]
    status: int


class Journal:
    """Counts since the start, and the last `KEPT` requests."""

    def __init__(self) -> None:
        self._recent: deque[Entry] = deque(maxlen=KEPT)
        self._by_endpoint: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()

    def note(self, name: str, entry: Entry) -> None:
        """Count a request under a name."""
        self._recent.append(entry)
        self._by_endpoint[name] += 1
        self._by_status[str(entry.status)] += 1

    def summary(self, last: int) -> dict[str, Any]:
        """`total`, `by_endpoint`, `by_status`, `busiest_second` (most requests that came in any one
        second, of those kept), and the `last` ones as `recent`, oldest first."""
        recent = list(self._recent)
        return {
            "total": self._by_status.total(),
            "by_endpoint": dict(self._by_endpoint),
            "by_status": dict(self._by_status),
            "busiest_second": _busiest(recent),
            "recent": [asdict(entry) for entry in recent[len(recent) - min(last, len(recent)) :]],
        }


def _busiest(entries: list[Entry]) -> int:
    times = sorted(entry.at_ns for entry in entries)
    most, first = 0, 0
    for place, at_ns in enumerate(times):
        while times[first] <= at_ns - _WINDOW_NS:
            first += 1
        most = max(most, place - first + 1)
    return most
