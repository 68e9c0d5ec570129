"""What an agent or a replay has done so far: what displays, summaries and tests read."""

from dataclasses import dataclass, field
from typing import Any

from trade_assets.agent.uploader import Upload


@dataclass
class PushReport:
    """Counts since the start.

    Attributes:
        pushed_files: versions of files sent.
        pushed_bytes: their size.
        same_files: files looked at whose content had been sent before.
        waiting_files: files that are still to be sent.
        unclaimed: names in the folder that no feed claims; they are never sent.
        refused: files that could not be sent at the last try, and why.
        unfinished: files that a run of one pass left because somebody was still writing them.
        vanished_files: files that were gone before they could be sent.
        idle: whether every upload had ended when the run did.
    """

    pushed_files: int = 0
    pushed_bytes: int = 0
    same_files: int = 0
    waiting_files: int = 0
    unclaimed: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    unfinished: set[str] = field(default_factory=set)
    vanished_files: int = 0
    idle: bool = True

    @property
    def complete(self) -> bool:
        """Whether every finished file that a feed claims has been sent."""
        return not self.refused and not self.waiting_files

    def count(self, upload: Upload) -> None:
        """Add an upload."""
        self.pushed_files += 1
        self.pushed_bytes += upload.size

    def as_dict(self) -> dict[str, Any]:
        """For programs: plain values; names that are not text are shown with escapes."""
        return {
            "pushed_files": self.pushed_files,
            "pushed_bytes": self.pushed_bytes,
            "same_files": self.same_files,
            "waiting_files": self.waiting_files,
            "vanished_files": self.vanished_files,
            "unclaimed": sorted(printable(name) for name in self.unclaimed),
            "unfinished": sorted(printable(name) for name in self.unfinished),
            "refused": {printable(name): why for name, why in sorted(self.refused.items())},
        }


def printable(name: str) -> str:
    """A file name as text that any terminal and JSON can hold."""
    return name.encode("utf-8", "backslashreplace").decode()
