"""The benchmark of TT slots: its code runs, with tiny sizes, and its arithmetic is right."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.figures import BenchmarkError
from benchmarks.parts import Bench
from benchmarks.scale import QUICK
from benchmarks.slots import compare, punctual
from benchmarks.slots.punctual import SlotSeen, watch_slots
from benchmarks.slots.snapshot import time_snapshots
from benchmarks.slots.storage import OTHERS, OURS, Growth, Looks, Storage, growth, look, rows_about
from trade_assets.local.leftovers import marked_processes
from trade_assets_tests.support.parts import dynalite_folder, ministack_python
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

TINY = replace(
    QUICK, slots_seconds=30.0, snapshot_orders=3, snapshot_fills=600, rounds=1, ceiling_items=25
)
NOON = datetime(2025, 7, 17, 12, tzinfo=UTC)
LOOKS = 5
"""A slot that a busy machine does not take in its half minute is followed by others."""
KEPT = {"skipped": 1.0, "success": 3.0}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A tiny benchmark, which leaves no process behind."""
    yield Bench(TINY, tmp_path, ministack_python(), dynalite_folder(), lambda _: None)
    for home in [*tmp_path.iterdir(), *tmp_path.glob("*/*")]:
        assert not marked_processes(home)


@pytest.mark.integration
def test_a_slot_is_watched_from_its_request_to_its_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(punctual, "FIRST_SECONDS", PATIENCE_SECONDS)
    for number in range(LOOKS):
        folder = bench.folder / f"{number}"
        folder.mkdir()
        watched = watch_slots(replace(bench, folder=folder), 1)
        (slot,) = watched.slots
        steps = [slot.requested, slot.started, slot.asked, slot.pictures, slot.stored, slot.ended]
        if None not in steps:
            break
    assert slot.runs == 1
    assert None not in steps
    assert slot.requested < slot.asked < slot.stored  # type: ignore[operator]
    looks = watched.looks
    assert looks.run_files > 0
    assert looks.after.books > looks.before.books
    assert looks.residue == 0
    assert 0 < looks.pruned.events < looks.after.events
    assert set(looks.after.tick_bodies) >= {(OURS, "success"), (OTHERS, "skipped")}


@pytest.mark.integration
def test_a_large_snapshot_has_what_the_plain_loop_gets(bench: Bench) -> None:
    timed = time_snapshots(bench)
    (only,) = timed.rounds
    rows = {kind: result.rows for kind, result in only.first.kinds.items()}
    assert rows["orders"] >= TINY.snapshot_orders
    assert rows["fills"] == only.plain.fills == TINY.snapshot_fills
    assert rows["instruments"] == only.plain.instruments
    assert only.second.kinds["fills"].rows == 0
    # The token was asked for before the loop's clock started.
    assert only.first.calls["attempts"] == only.plain.requests + 1
    assert timed.ceiling.items == sum(item.puts for item in only.first.kinds.values())


def storage(books: int, events: int = 0, ticks: int = 0, **bodies: int) -> Storage:
    kinds = {(OURS, status): size for status, size in bodies.items()}
    return Storage(books, events, ticks, kinds, {})


def test_growth_is_what_a_slot_added() -> None:
    looks = Looks(
        runs=10,
        run_files=5_000,
        before=storage(1_000, 500, 100, skipped=10),
        after=storage(3_000, 900, 500, skipped=90, success=20, started=7),
        pruned=storage(1_650, 620),
        residue=5,
    )
    added = growth(looks, slots=10, kept_hours=5.5, tick_days=KEPT)
    assert (added.books, added.files) == (200.0, 500.0)
    # 400 bytes of pages for 100 bytes of contents.
    assert added.ticks == {(OURS, "skipped"): 32.0, (OURS, "success"): 8.0}
    assert added.ticks_of(OURS) == 40.0
    assert added.ticks_of(OTHERS) == 0.0
    assert added.ticks_at_rest(OURS) == (32.0 * 1 + 8.0 * 3) * 2_880
    assert added.runs_kept == 720
    assert (added.rows_left, added.left_by_hour) == (0.5, 120)


def test_pruning_may_leave_less_than_there_was() -> None:
    looks = Looks(1, 0, storage(1_000, 100), storage(1_100, 200), storage(900, 50), 0)
    assert growth(looks, slots=1, kept_hours=6, tick_days=KEPT).left_by_hour == 0


def test_the_storage_is_looked_at_by_pages_in_use_and_files(tmp_path: Path) -> None:
    (tmp_path / "schedules").mkdir()
    (tmp_path / "history" / "runs").mkdir(parents=True)
    (tmp_path / "storage" / "run-1" / "logs").mkdir(parents=True)
    (tmp_path / "storage" / "run-1" / "logs" / "out").write_bytes(b"x" * 30)
    (tmp_path / "history" / "runs" / "run-1.db").write_bytes(b"x" * 200)
    (tmp_path / "history" / "runs" / "run-1.db-wal").write_bytes(b"x" * 50)
    for name in ("history/runs.db", "history/runs/index.db", "schedules/schedules.db"):
        with sqlite3.connect(tmp_path / name) as connection:
            connection.execute("CREATE TABLE job_ticks (status TEXT, tick_body TEXT)")
            rows = [("SKIPPED", '{"name": "tt_slots"}'), ("SUCCESS", "x" * 100_000)]
            connection.executemany("INSERT INTO job_ticks VALUES (?, ?)", rows)
            connection.execute("CREATE TABLE event_logs (run_id TEXT, event TEXT)")
            events = [("run-1", "x" * 40), ("run-2", "x" * 2)]
            connection.executemany("INSERT INTO event_logs VALUES (?, ?)", events)
        connection.close()
    seen = look(tmp_path)
    assert seen.files == {"run-1": 280}
    assert seen.tick_bodies == {(OURS, "skipped"): 20, (OTHERS, "success"): 100_000}
    assert 100_000 < seen.ticks < 120_000
    assert seen.events == 42
    assert rows_about(tmp_path, ["run-1", "run-3"]) == 2
    with sqlite3.connect(tmp_path / "schedules" / "schedules.db") as connection:
        connection.execute("DELETE FROM job_ticks")
    connection.close()
    emptied = look(tmp_path)
    assert emptied.ticks < 20_000
    assert emptied.books == seen.books == 2 * seen.ticks


def test_goals_tell_late_missed_and_doubled_slots() -> None:
    good = SlotSeen(NOON, requested=0.1, stored=2.0, runs=1)
    late = replace(good, requested=0.7, runs=2)
    missed = SlotSeen(NOON + timedelta(seconds=30))

    def met(*slots: SlotSeen) -> list[bool]:
        return [goal.met for goal in compare.punctuality_goals(slots)]

    assert met(good, good) == [True, True]
    assert met(good, late) == [False, False]
    assert met(good, missed) == [False, False]
    assert met(missed) == [False, False]


def test_a_storage_that_had_no_run_is_no_figure() -> None:
    nothing = storage(0)
    looks = Looks(0, 0, nothing, nothing, nothing, 0)
    with pytest.raises(BenchmarkError):
        compare.storage_growth(looks, 2)


def test_bytes_of_a_day_are_those_of_its_slots() -> None:
    ticks = {(OURS, "success"): 100.0, (OTHERS, "skipped"): 1_000.0}
    added = Growth(2, 1_000.0, 2_000.0, ticks, 0.0, 0.0, 100.0, KEPT)
    rows = {row[0]: row[1:] for row in compare.storage_table(added).rows}
    assert rows["run: own files"] == ("2.0", "5.8", "0.2")
    assert rows[f"ticks {OURS}"] == ("0.1", "0.3", "0.9")
    assert rows["together"] == ("4.1", "11.8", "4.0")
