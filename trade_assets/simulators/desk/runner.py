"""The simulated desk by the clock: writes into a folder as a desk's programs do."""

import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Final

from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.simulators.desk.desk import DeskFile, DeskPlan, DeskState

KEEP_SECONDS: Final = 600.0
"""A simulated desk's files are removed after this long, or its folder would grow for ever."""

PRUNE_EVERY_SECONDS: Final = 30.0

JOURNAL: Final = ".simulated-desk"
"""Names the files that simulated desks wrote in the folder: no other file is ever removed."""

_NUMBERS: Final = re.compile(r"\d+")
"""But for these, files of one kind have one name; the newest has the last in order."""


def run_desk(
    folder: Path,
    seed: int,
    interval_seconds: float,
    stop_event: Event,
    *,
    max_files: int | None = None,
    plan: DeskPlan | None = None,
) -> int:
    """Write the desk's files into `folder` until `stop_event` is set; returns how many.

    A desk that falls behind (the machine slept) goes on with the present; it writes no file late.

    Args:
        seed, interval_seconds: of the plan, unless `plan` is given.
        max_files: stop after so many.

    Raises:
        OSError: the folder cannot be written.
    """
    plan = plan or DeskPlan(seed=seed, interval_seconds=interval_seconds)
    outbox = _Outbox(folder)
    state, written = DeskState(plan), 0
    next_at = time.monotonic()
    while not stop_event.wait(max(0.0, next_at - time.monotonic())):
        for file in state.due(datetime.now(UTC)):
            outbox.write(file)
            written += 1
            if written == max_files:
                return written
        outbox.prune()
        next_at = max(next_at + plan.interval_seconds, time.monotonic())
    return written


class _Outbox:
    """The folder, and what simulated desks have put there, also those before this one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._journal = folder / JOURNAL
        lines = self._journal.read_text().splitlines() if self._journal.exists() else []
        self._names = dict.fromkeys(lines)
        self._next_prune = 0.0

    def write(self, file: DeskFile) -> None:
        if file.file_name not in self._names:
            self._names[file.file_name] = None
            with self._journal.open("a") as journal:
                journal.write(f"{file.file_name}\n")
        path = self._folder / file.file_name
        if FILLS.file_pattern.fullmatch(file.file_name):
            path.write_bytes(file.data)  # the ledger's program truncates and writes in place
        else:
            partial = path.with_name(f".{path.name}.part")
            partial.write_bytes(file.data)
            partial.replace(path)

    def prune(self) -> None:
        """Remove the desk's files that are too old, but for the newest of each kind: the ledger is
        still in use, and a daily file that is gone would be written and seen anew at each start."""
        if time.monotonic() < self._next_prune:
            return
        self._next_prune = time.monotonic() + PRUNE_EVERY_SECONDS
        newest = {_NUMBERS.sub("", name): name for name in sorted(self._names)}
        kept = set(newest.values())
        oldest = time.time() - KEEP_SECONDS
        gone = [name for name in self._names if name not in kept and self._is_old(name, oldest)]
        if gone:
            for name in gone:
                (self._folder / name).unlink(missing_ok=True)
                del self._names[name]
            partial = self._journal.with_suffix(".part")
            partial.write_text("".join(f"{name}\n" for name in self._names))
            partial.replace(self._journal)

    def _is_old(self, name: str, oldest: float) -> bool:
        try:
            return os.stat(self._folder / name).st_mtime < oldest
        except FileNotFoundError:
            return True
