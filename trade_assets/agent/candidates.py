"""Files that may become ready: each waits until it has been quiet long enough, or may be retried.

Only the waiting; whether a file is finished is checked when it is read
(`folder_files`).
"""

import heapq
import itertools
from dataclasses import dataclass

from trade_assets.agent.folder_files import Stamp


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file as it was last seen. `closed`: its writer was seen to close it or move it here."""

    name: str
    stamp: Stamp
    closed: bool = False


class Candidates:
    """Waiting files by name, in the order in which they fall due. Cost per file: log n."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[int, Candidate]] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, name: str) -> bool:
        return name in self._waiting

    def arm(self, candidate: Candidate, due: float) -> None:
        """Let a file wait until `due`; what was waiting under its name is replaced."""
        turn = next(self._order)
        self._waiting[candidate.name] = (turn, candidate)
        heapq.heappush(self._heap, (due, turn, candidate.name))

    def drop(self, name: str) -> None:
        """Forget a file; nothing happens if it does not wait."""
        self._waiting.pop(name, None)

    def next_due(self) -> float | None:
        """When the next file falls due, or None if none waits."""
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> list[Candidate]:
        """Take out all files that are due at `now`, those first that fell due first."""
        ready = []
        while (due := self.next_due()) is not None and due <= now:
            _, _, name = heapq.heappop(self._heap)
            ready.append(self._waiting.pop(name)[1])
        return ready

    def _is_current(self, entry: tuple[float, int, str]) -> bool:
        _, turn, name = entry
        waiting = self._waiting.get(name)
        return waiting is not None and waiting[0] == turn
