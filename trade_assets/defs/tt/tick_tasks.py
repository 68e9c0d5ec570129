"""What the slot sensor does besides slots, each in a thread of its own: no store that hangs may
cost a slot.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg

from trade_assets.defs.tt.checks import freshness_outcome
from trade_assets.defs.tt.unreported_runs import UnreportedRuns
from trade_assets.errors import TradeAssetsError
from trade_assets.logs import get_logger
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_cursor import SlotCursor
from trade_assets.tt.slots.slot_log import SlotNote
from trade_assets.tt.tt_alarms import TtAlarms
from trade_assets.tt.tt_stores import TtStores

log = get_logger(__name__)


@dataclass
class Tick:
    """What a tick of the slot sensor has in hand.

    Attributes:
        slots: how the slots were left.
        freshness: by path of a data set, the last reported result.
        events: to be reported with the tick.
        problems: for the skip reason.
    """

    slots: SlotCursor
    freshness: dict[str, bool]
    events: list[dg.AssetCheckEvaluation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


Effect = Callable[[Tick], None]
Task = Callable[[], Effect]
"""Does something that may take long, and returns what the tick is to make of it."""


class TickTasks:
    """Does tasks beside each other, and waits for them no longer than there is time."""

    def __init__(self) -> None:
        self._under_way: dict[str, _UnderWay] = {}

    def run(self, tick: Tick, tasks: Mapping[str, Task], seconds: float) -> None:
        """Do all tasks; the effects of those that end in time are applied to the tick.

        What takes longer goes on, and is not begun anew meanwhile. Its effect may come late, or be
        lost: a task must bear being done again.
        """
        end = time.monotonic() + seconds
        for name, task in tasks.items():
            if name not in self._under_way or self._under_way[name].ended:
                self._under_way[name] = _UnderWay(name, task)
        for name in tasks:
            self._under_way[name].settle(tick, end - time.monotonic())


class _UnderWay:
    """A task in its thread: a daemon, which keeps no process from ending."""

    def __init__(self, name: str, task: Task) -> None:
        self._name = name
        self._task = task
        self._effect: Effect | None = None
        self._problem = "still under way"
        self._thread = threading.Thread(target=self._run, name=f"slots-{name}", daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Whether it can be begun anew."""
        return not self._thread.is_alive()

    def settle(self, tick: Tick, seconds: float) -> None:
        """Wait for it so long, and apply what it came to."""
        self._thread.join(max(seconds, 0.0))
        if self.ended and self._effect is not None:
            self._effect(tick)
        else:
            tick.problems.append(f"{self._name}: {self._problem}")

    def _run(self) -> None:
        try:
            self._effect = self._task()
        except TradeAssetsError as error:
            self._problem = str(error)
        except Exception as error:  # whatever it is, the slots go on
            self._problem = f"failed ({type(error).__name__})"
            log.exception("a task of the slot sensor failed", task=self._name)


@dataclass
class TaskParts:
    """What the tasks look at, and with."""

    stores: TtStores
    hours: OpenHours
    alarms: TtAlarms
    silent: UnreportedRuns


def all_tasks(parts: TaskParts, instance: dg.DagsterInstance, tick: Tick) -> dict[str, Task]:
    """The tasks of a tick, by name."""
    stores, hours, alarms = parts.stores, parts.hours, parts.alarms
    notes, freshness, first = tuple(tick.slots.notes), dict(tick.freshness), tick.slots.first
    return {
        "alarms": lambda: _look_at_alarms(stores, alarms, hours, first),
        "freshness": lambda: _report_freshness(stores, hours, freshness),
        "notes": lambda: _record(stores, notes),
        "silent runs": lambda: _note_silent(parts.silent, instance, stores),
    }


def _look_at_alarms(
    stores: TtStores, alarms: TtAlarms, hours: OpenHours, first: datetime | None
) -> Effect:
    problems = alarms.look(stores, hours, first)
    return lambda tick: tick.problems.extend(problems)


def _report_freshness(stores: TtStores, hours: OpenHours, reported: dict[str, bool]) -> Effect:
    """Freshness of every kind when it changes; the slot run says itself that a kind is fresh."""
    events = []
    for snapshot in SNAPSHOTS.values():
        outcome = freshness_outcome(stores, snapshot, hours)
        if outcome.passed is not reported.get(snapshot.path, True):
            events.append(outcome.as_evaluation())
        reported[snapshot.path] = outcome.passed

    def apply(tick: Tick) -> None:
        tick.freshness = reported
        tick.events.extend(events)

    return apply


def _record(stores: TtStores, notes: tuple[SlotNote, ...]) -> Effect:
    """Write what the slot log lacks, the oldest first; what fails stays in the cursor."""
    recorded: list[SlotNote] = []
    problem = ""
    try:
        for note in notes:
            stores.slot_log.note(note)
            recorded.append(note)
    except TradeAssetsError as error:
        problem = str(error)

    def apply(tick: Tick) -> None:
        # By what they say: the effect may come ticks later, and old notes are folded meanwhile.
        tick.slots.notes = [note for note in tick.slots.notes if note not in recorded]
        if problem:
            tick.problems.append(f"{len(tick.slots.notes)} notes wait: {problem}")

    return apply


def _note_silent(silent: UnreportedRuns, instance: dg.DagsterInstance, stores: TtStores) -> Effect:
    silent.note(instance, stores)
    return lambda _: None
