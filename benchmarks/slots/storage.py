"""Bytes of Dagster's storage (SQLite): where they are, what a slot adds, where they come to rest.

Only the looking and the arithmetic; what runs meanwhile is `punctual`'s business.
"""

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from trade_assets.defs.shared.names import SLOT_SENSOR

SLOTS_A_DAY: Final = 2_880
SLOTS_AN_HOUR: Final = 120

_RUNS: Final = Path("history", "runs.db")
_INDEX: Final = Path("history", "runs", "index.db")
_TICKS: Final = Path("schedules", "schedules.db")

_COUNT_TICKS: Final = """
SELECT instr(tick_body, ?) > 0, lower(status), SUM(LENGTH(tick_body)) FROM job_ticks GROUP BY 1, 2
"""

OURS: Final = "of the slot sensor"
OTHERS: Final = "of the other sensors and schedules"

TickKind = tuple[str, str]
"""Whose tick, and its status."""


@dataclass(frozen=True)
class Storage:
    """One look at the storage.

    Attributes:
        books: bytes in use by the books of all runs: their rows, and the events of assets.
        events: bytes of the contents of the events of assets.
        ticks: bytes in use by the ticks of all sensors and schedules.
        tick_bodies: bytes of the contents of these, by kind.
        files: bytes of a run's own files by run id: its event log and what it printed.
    """

    books: int
    events: int
    ticks: int
    tick_bodies: Mapping[TickKind, int]
    files: Mapping[str, int]


@dataclass(frozen=True)
class Looks:
    """The storage before and after `runs` runs of slots, with `run_files` bytes in their own files;
    and after these were pruned, with `residue` rows about them left in the books."""

    runs: int
    run_files: int
    before: Storage
    after: Storage
    pruned: Storage
    residue: int


@dataclass(frozen=True)
class Growth:
    """What a slot adds, in bytes, as measured; and what that comes to, extrapolated.

    Attributes:
        slots: that were measured.
        books: of its run, in the books of all runs.
        files: of its run, files of its own.
        ticks: of the ticks of its half minute, by kind.
        rows_left: rows about its run that stay in the books when it is pruned.
        left_by_hour: contents of the events that stay of an hour's runs when all are pruned: the
            lineage of the hour's partitions.
        runs_kept: runs that are there at any time.
        tick_days: how long ticks are kept, by status.
    """

    slots: int
    books: float
    files: float
    ticks: Mapping[TickKind, float]
    rows_left: float
    left_by_hour: float
    runs_kept: float
    tick_days: Mapping[str, float]

    def ticks_of(self, whose: str) -> float:
        """Bytes of the ticks of a half minute."""
        return sum(size for kind, size in self.ticks.items() if kind[0] == whose)

    def ticks_at_rest(self, whose: str) -> float:
        """Bytes of the ticks that are kept."""
        return sum(
            size * SLOTS_A_DAY * self.tick_days[status]
            for (owner, status), size in self.ticks.items()
            if owner == whose
        )


def look(dagster_home: Path) -> Storage:
    """The storage below Dagster's home as it is now; it may be in use."""
    files: dict[str, int] = {}
    for path in (dagster_home / "history" / "runs").glob("*.db*"):
        run_id = path.name.partition(".")[0]
        if run_id != "index":
            files[run_id] = files.get(run_id, 0) + _size(path)
    for folder in (dagster_home / "storage").glob("*"):
        printed = sum(_size(path) for path in folder.rglob("*") if path.is_file())
        files[folder.name] = files.get(folder.name, 0) + printed
    bodies = {
        (OURS if ours else OTHERS, status): size
        for ours, status, size in _ask(dagster_home / _TICKS, _COUNT_TICKS, f'"{SLOT_SENSOR}"')
    }
    return Storage(
        books=_in_use(dagster_home / _RUNS) + _in_use(dagster_home / _INDEX),
        events=_ask(dagster_home / _INDEX, "SELECT TOTAL(LENGTH(event)) FROM event_logs")[0][0],
        ticks=_in_use(dagster_home / _TICKS),
        tick_bodies=bodies,
        files=files,
    )


def rows_about(dagster_home: Path, runs: Collection[str]) -> int:
    """Rows of the books, in whatever table, that have the id of one of these runs."""
    count = 0
    for database in (dagster_home / _RUNS, dagster_home / _INDEX):
        for (table,) in _ask(database, "SELECT name FROM sqlite_master WHERE type = 'table'"):
            columns = [name for _, name, *_ in _ask(database, f"PRAGMA table_info({table})")]
            if "run_id" in columns:
                marks = ", ".join("?" for _ in runs)
                query = f"SELECT COUNT(*) FROM {table} WHERE run_id IN ({marks})"
                count += _ask(database, query, *runs)[0][0]
    return count


def growth(
    looks: Looks, *, slots: int, kept_hours: float, tick_days: Mapping[str, float]
) -> Growth:
    """What slots added between two looks.

    Runs go once an hour, so half an hour's more are there than are to be kept.
    """
    before, after = looks.before, looks.after
    # A tick that is under way counts as what it is then, and may be less than before.
    bodies = {
        kind: max(size - before.tick_bodies.get(kind, 0), 0)
        for kind, size in after.tick_bodies.items()
        if kind[1] in tick_days
    }
    share = (after.ticks - before.ticks) / max(sum(bodies.values()), 1)
    return Growth(
        slots=slots,
        books=(after.books - before.books) / slots,
        files=looks.run_files / slots,
        ticks={kind: size * share / slots for kind, size in bodies.items()},
        rows_left=looks.residue / max(looks.runs, 1),
        left_by_hour=max(looks.pruned.events - before.events, 0),
        runs_kept=(kept_hours + 0.5) * SLOTS_AN_HOUR,
        tick_days=tick_days,
    )


def _in_use(database: Path) -> int:
    """Bytes of the pages that hold something; freed pages are used again, and do not count."""
    size, pages, free = (
        next(iter(_ask(database, f"PRAGMA {name}")))[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    return int(size * (pages - free))


def _ask(database: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # a journal that was just written back
