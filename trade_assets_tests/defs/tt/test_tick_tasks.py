"""TickTasks of the slot sensor: what they come to, and that none holds up a tick."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pytest

from trade_assets.defs.tt.tick_tasks import Effect, TaskParts, Tick, TickTasks, all_tasks
from trade_assets.defs.tt.unreported_runs import UnreportedRuns
from trade_assets.errors import StoreUnavailableError
from trade_assets.settings import Settings
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.open_hours import open_hours
from trade_assets.tt.slots.slot_cursor import NOTES_KEPT, SlotCursor
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets.tt.tt_alarms import TtAlarms
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


@pytest.fixture
def tick() -> Tick:
    return Tick(SlotCursor(), {})


def saying(text: str) -> Effect:
    """An effect that can be seen."""
    return lambda tick: tick.problems.append(text)


def fail(error: Exception) -> Effect:
    raise error


def test_effects_of_all_tasks_are_applied(tick: Tick) -> None:
    TickTasks().run(
        tick, {"one": lambda: saying("1"), "two": lambda: saying("2")}, PATIENCE_SECONDS
    )
    assert tick.problems == ["1", "2"]


def test_a_task_that_fails_says_so_and_spoils_no_other(tick: Tick) -> None:
    tasks = {
        "store": lambda: fail(StoreUnavailableError("Redis is away")),
        "defect": lambda: fail(KeyError("a value that nobody knows")),
        "fine": lambda: saying("done"),
    }
    TickTasks().run(tick, tasks, PATIENCE_SECONDS)
    assert tick.problems == ["store: Redis is away", "defect: failed (KeyError)", "done"]


def test_a_task_that_hangs_is_left_alone_and_not_begun_twice(tick: Tick) -> None:
    release, begun = threading.Event(), []

    def hang() -> Effect:
        begun.append(1)
        release.wait(PATIENCE_SECONDS)
        return saying("at last")

    tasks = TickTasks()
    for _ in range(3):
        tasks.run(tick, {"slow": hang, "fine": lambda: saying("done")}, 0.02)
    assert tick.problems.count("slow: still under way") == 3
    eventually(lambda: begun, what="it is begun")
    tasks.run(tick, {"slow": hang}, 0.02)
    assert len(begun) == 1
    release.set()

    def is_done() -> bool:
        if "at last" not in tick.problems:
            tasks.run(tick, {"slow": hang}, 0.1)
        return "at last" in tick.problems

    eventually(is_done, what="it is done")


def test_notes_that_came_while_others_were_recorded_are_not_forgotten(
    module_settings: Settings, instance: dg.DagsterInstance
) -> None:
    first = datetime(2026, 11, 18, 18, tzinfo=UTC)
    notes = [
        SlotNote(first + number * SLOT, first + number * SLOT, SlotState.SKIPPED, f"why {number}")
        for number in range(NOTES_KEPT + 5)
    ]
    with Stores(module_settings) as stores:
        begun = Tick(SlotCursor(notes=notes[:3]), {})
        alarms, hours = TtAlarms(module_settings), open_hours(module_settings)
        parts = TaskParts(stores, hours, alarms, UnreportedRuns())
        effect = all_tasks(parts, instance, begun)["notes"]()
        # Ticks later: there were so many that the oldest of them became one.
        later = Tick(SlotCursor.from_json(SlotCursor(notes=notes).to_json()), {})
        kept = list(later.slots.notes)
        effect(later)
        assert later.slots.notes == kept
        effect(begun)
        assert begun.slots.notes == []
