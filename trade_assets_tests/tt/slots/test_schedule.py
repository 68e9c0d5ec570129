"""What becomes of a slot: single looks in a table, and whole days of looks by simulation."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.settings import load_settings
from trade_assets.tt.formats.slot_times import SLOT, slot_at, slots_between
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.schedule import (
    GONE,
    NOT_LOOKING,
    NOT_STARTED,
    ActiveRun,
    Decision,
    SlotLimits,
    decide,
)
from trade_assets.tt.slots.slot_cursor import NOTES_KEPT, RANGES_KEPT, SlotCursor, SlotRanges
from trade_assets.tt.slots.slot_log import SlotNote, SlotState

ALWAYS = OpenHours.parse(["always"])
NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
"""Noon US Central of a Wednesday."""

LIMITS = SlotLimits(timedelta(seconds=5), timedelta(seconds=120))


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def run(slot: float | None, age: float, now: float, run_id: str = "run") -> ActiveRun:
    return ActiveRun(run_id, None if slot is None else at(slot), at(now - age))


def look(
    cursor: SlotCursor, seconds: float, *active: ActiveRun, hours: OpenHours = ALWAYS
) -> Decision:
    return decide(cursor, at(seconds), active, hours, LIMITS)


def looked(*seconds: float) -> SlotCursor:
    """The cursor after looks at these times, in which nothing was in the way."""
    cursor = SlotCursor()
    for moment in seconds:
        cursor = look(cursor, moment).cursor
    return cursor


def noted(decision: Decision) -> list[tuple[float, float, SlotState, str]]:
    """The notes, with times in seconds from noon."""
    return [
        (
            (note.first - NOON).total_seconds(),
            (note.last - NOON).total_seconds(),
            note.state,
            note.reason,
        )
        for note in decision.cursor.notes
    ]


def test_the_slot_that_has_just_begun_is_requested_once() -> None:
    first = look(SlotCursor(), 0.01)
    assert first.request == NOON
    assert look(first.cursor, 0.02).request is None
    assert look(first.cursor, 29.9).request is None
    assert look(first.cursor, 30).request == at(30)


def test_the_very_first_look_misses_nothing() -> None:
    decision = look(SlotCursor(), 12)
    assert (decision.request, decision.wait_until) == (None, at(30))
    assert noted(decision) == [(0, 0, SlotState.NOT_WANTED, NOT_STARTED)]
    assert look(decision.cursor, 30.2).request == at(30)


def test_a_first_look_on_the_hour_has_nothing_before_it() -> None:
    decision = look(SlotCursor(), 0.5)
    assert decision.request == at(0)
    assert noted(decision) == []


@pytest.mark.parametrize(("seconds", "requested"), [(35, True), (35.001, False)])
def test_a_slot_is_missed_when_nobody_looked_within_the_tolerance(
    seconds: float, requested: bool
) -> None:
    decision = look(looked(0), seconds)
    assert (decision.request == at(30)) == requested
    assert noted(decision) == ([] if requested else [(30, 30, SlotState.MISSED, NOT_LOOKING)])


def test_a_gap_is_one_note_however_long_and_the_newest_slot_is_taken() -> None:
    decision = look(looked(0), 86_400.5)
    assert decision.request == at(86_400)
    assert noted(decision) == [(30, 86_370, SlotState.MISSED, NOT_LOOKING)]


def test_slots_outside_of_the_open_hours_are_neither_requested_nor_missed() -> None:
    hours = OpenHours.parse(["Wed 12:00-Wed 12:02"])
    cursor = look(SlotCursor(), 0, hours=hours).cursor
    closed = look(cursor, 120.1, hours=hours)
    assert closed.request is None
    assert noted(closed) == [(30, 90, SlotState.MISSED, NOT_LOOKING)]
    assert "market closed" in closed.reason
    assert closed.wait_until is None
    assert noted(look(closed.cursor, 86_400, hours=hours)) == noted(closed)


def test_a_maintenance_window_is_said_in_the_reason() -> None:
    hours = OpenHours.parse(["always"], ["Wed 12:01-Wed 12:05"])
    decision = look(SlotCursor(), 45, hours=hours)
    assert "maintenance Wed 12:01-Wed 12:05" in decision.reason


def test_a_slot_waits_for_the_run_before_it_and_is_taken_late() -> None:
    waiting = look(looked(0), 30.01, run(0, 30, 30))
    assert waiting.request is None
    assert "slot 18:00:30 waits, run of slot 18:00:00 is active" in waiting.reason
    still = look(waiting.cursor, 45, run(0, 45, 45))
    assert still.request is None
    late = look(still.cursor, 52)
    assert late.request == at(30)
    assert noted(late) == []
    assert look(late.cursor, 60).request == at(60)


def test_a_slot_that_waited_too_long_leaves_the_way_to_the_next() -> None:
    cursor = look(looked(0), 30.01, run(0, 30, 30)).cursor
    decision = look(cursor, 53)
    assert decision.request is None
    following = look(decision.cursor, 60.01)
    assert following.request == at(60)
    assert [note.state for note in following.cursor.notes] == [SlotState.SKIPPED]


def test_the_newest_slot_takes_the_place_of_the_one_that_waits() -> None:
    cursor = look(looked(0), 30.01, run(0, 30, 30)).cursor
    newer = look(cursor, 60.01, run(0, 60, 60))
    assert newer.request is None
    skipped = (30, 30, SlotState.SKIPPED, "run of slot 18:00:00 still active")
    assert noted(newer) == [skipped]
    last = look(newer.cursor, 61)
    assert last.request == at(60)
    assert noted(last) == [skipped]


def test_where_the_run_ends_as_the_next_slot_begins_the_next_one_is_taken() -> None:
    cursor = look(looked(0), 30.01, run(0, 30, 30)).cursor
    decision = look(cursor, 60.01)
    assert decision.request == at(60)
    assert [note.state for note in decision.cursor.notes] == [SlotState.SKIPPED]


def test_a_slot_that_waits_is_skipped_where_nobody_looks_any_more() -> None:
    cursor = look(looked(0), 30.01, run(0, 30, 30)).cursor
    decision = look(cursor, 300.5)
    assert decision.request == at(300)
    assert noted(decision) == [
        (30, 30, SlotState.SKIPPED, "run of slot 18:00:00 still active"),
        (60, 270, SlotState.MISSED, NOT_LOOKING),
    ]


def test_a_run_that_is_too_old_is_dead_and_in_nobodys_way() -> None:
    old = run(0, 121, 150, "dead")
    decision = look(looked(0, 120), 150.1, old)
    assert decision.dead == [old]
    assert decision.request == at(150)
    assert (0, 0, SlotState.FAILED, GONE) in noted(decision)
    assert decision.cursor.notes[-1].run_id == "dead"


def test_a_run_without_a_slot_is_in_the_way_too() -> None:
    decision = look(looked(0), 30, run(None, 3, 30, "0123456789"))
    assert decision.request is None
    assert "run 01234567 is active" in decision.reason


def test_a_clock_that_goes_back_a_little_asks_for_no_slot_twice() -> None:
    cursor = looked(0, 30, 60)
    for seconds in (59.99, 31, 60.01, 89):
        decision = look(cursor, seconds)
        assert decision.request is None
        cursor = decision.cursor
    assert look(cursor, 90).request == at(90)


def test_a_clock_that_goes_back_far_does_not_stop_the_slots() -> None:
    # A day ahead for one slot, which is asked for; then it is set right.
    cursor = looked(0, 86_400)
    decision = look(cursor, 30.1)
    assert decision.request == at(30)
    cursor = look(decision.cursor, 86_370.1).cursor
    again = look(cursor, 86_400.1)
    assert again.request is None
    assert look(again.cursor, 86_430).request == at(86_430)


def test_a_dead_run_of_a_time_to_come_is_dead_all_the_same() -> None:
    ghost = run(3600, 0, 3600, "ghost")
    cursor = look(looked(0), 30, ghost).cursor
    assert cursor.pending == at(30)
    decision = look(cursor, 151, ghost)
    assert decision.dead == [ghost]


def test_slots_that_were_asked_for_are_not_missed_when_they_come_again() -> None:
    cursor = looked(*range(0, 601, 30))
    back = look(cursor, 10).cursor
    decision = look(back, 700)
    assert noted(decision) == [(630, 690, SlotState.MISSED, NOT_LOOKING)]


def test_at_rest_nothing_is_missed() -> None:
    cursor = looked(0, 30)
    cursor.rest()
    decision = look(cursor, 3600)
    assert decision.request == at(3600)
    assert noted(decision) == []


def test_limits_follow_the_settings() -> None:
    limits = SlotLimits.of(load_settings(tt_slot_tolerance_seconds=3, tt_deadline_seconds=20))
    assert limits.tolerance == timedelta(seconds=3)
    assert limits.run_bound == timedelta(seconds=120)


def test_a_cursor_comes_back_from_storage_as_it_was() -> None:
    cursor = look(looked(0), 300, run(270, 30, 300)).cursor
    cursor = look(cursor, 330, run(270, 60, 330)).cursor
    assert cursor.notes
    assert cursor.pending
    assert SlotCursor.from_json(cursor.to_json()) == cursor
    assert SlotCursor.from_json(None) == SlotCursor()


def test_notes_that_nobody_takes_are_bounded() -> None:
    cursor = SlotCursor(
        notes=[
            SlotNote(at(30 * n), at(30 * n), SlotState.SKIPPED, f"reason {n}", {}, "")
            for n in range(NOTES_KEPT + 20)
        ]
    )
    kept = SlotCursor.from_json(cursor.to_json()).notes
    assert len(kept) == NOTES_KEPT
    assert (kept[0].first, kept[0].last) == (at(0), at(600))
    assert "21 notes in one" in kept[0].reason
    assert kept[1:] == cursor.notes[21:]


@given(st.lists(st.integers(0, 200), max_size=120))
def test_ranges_forget_no_slot_and_stay_few(numbers: list[int]) -> None:
    ranges = SlotRanges()
    for number in numbers:
        ranges.add(at(30 * number))
    assert all(at(30 * number) in ranges for number in numbers)
    assert len(ranges.ranges) <= RANGES_KEPT
    whole = [*slots_between(at(0), at(6000))]
    outside = [
        slot for part in ranges.outside(whole[0], whole[-1]) for slot in slots_between(*part)
    ]
    assert outside == [slot for slot in whole if slot not in ranges]


def test_a_clock_that_was_ahead_leaves_no_slots_out_however_many_gaps_there_were() -> None:
    cursor = SlotCursor()
    for number in range(RANGES_KEPT + 4):  # gaps that are longer than the jump
        cursor = look(cursor, number * 7200.0).cursor
    seconds = (RANGES_KEPT + 3) * 7200.0
    ahead = look(cursor, seconds + 3600)
    assert ahead.request == at(seconds + 3600)
    right = look(ahead.cursor, seconds + 30)
    assert right.request == at(seconds + 30)
    assert look(right.cursor, seconds + 90.1).request == at(seconds + 90)


@dataclass
class World:
    """A daemon that looks, a clock that may be wrong, and runs that take their time."""

    hours: OpenHours
    true: float = 0.0
    wrong_by: float = 0.0
    cursor: SlotCursor = field(default_factory=SlotCursor)
    requests: list[datetime] = field(default_factory=list)
    run: ActiveRun | None = None
    run_ends: float = 0.0

    @property
    def now(self) -> datetime:
        return at(self.true + self.wrong_by)

    def look(self, run_seconds: float) -> Decision:
        if self.run is not None and self.true >= self.run_ends:
            self.run = None
        active = [self.run] if self.run is not None else []
        # As Dagster stores it: through JSON at every tick.
        stored = SlotCursor.from_json(self.cursor.to_json())
        decision = decide(stored, self.now, active, self.hours, LIMITS)
        if decision.dead:
            self.run = None
        self.cursor = decision.cursor
        if decision.request is not None:
            assert self.run is None, "two runs at a time"
            self.requests.append(decision.request)
            self.run = ActiveRun(f"run {len(self.requests)}", decision.request, self.now)
            self.run_ends = self.true + run_seconds
        return decision


def fates(world: World) -> Counter[datetime]:
    """How many fates each slot has: requested, missed, skipped, or waiting."""
    found = Counter(world.requests)
    for note in world.cursor.notes:
        if note.state is not SlotState.FAILED:
            found.update(slots_between(note.first, note.last))
    if world.cursor.pending is not None:
        found.update([world.cursor.pending])
    return found


pauses = st.one_of(st.floats(0.01, 6), st.floats(0.01, 6), st.floats(0.01, 400))
durations = st.one_of(st.floats(0.1, 20), st.floats(0.1, 200))
steps = st.lists(st.tuples(pauses, durations), min_size=1, max_size=60)
OPEN = [ALWAYS, OpenHours.parse(["always"], ["Wed 12:03-Wed 12:05"])]


@given(steps, st.sampled_from(OPEN))
@settings(max_examples=150)
def test_every_due_slot_has_exactly_one_fate(
    looks: list[tuple[float, float]], hours: OpenHours
) -> None:
    world = World(hours)
    world.look(1.0)
    begun = slot_at(world.now)
    for pause, seconds in looks:
        world.true += pause
        decision = world.look(seconds)
        if decision.request is not None:
            assert world.requests[-1] == max(world.requests)
            assert decision.request == slot_at(world.now), "only the newest is asked for"
    due = hours.due(begun, world.now)
    counted = fates(world)
    assert {slot: counted[slot] for slot in due} == dict.fromkeys(due, 1)
    closed = set(slots_between(begun, world.now)) - set(due)
    assert not closed & set(world.requests)


jumps = st.one_of(st.just(0.0), st.just(0.0), st.floats(-90, 90), st.floats(-100_000, 100_000))


@given(st.lists(st.tuples(pauses, durations, jumps), min_size=1, max_size=60))
@settings(max_examples=150)
def test_no_slot_is_asked_for_twice_whatever_the_clock_does(
    looks: list[tuple[float, float, float]],
) -> None:
    world = World(ALWAYS)
    for pause, seconds, jump in looks:
        world.true += pause
        world.wrong_by += jump
        decision = world.look(seconds)
        assert decision.request is None or decision.request <= world.now
        assert decision.wait_until is not None
        assert timedelta(0) < decision.wait_until - world.now <= SLOT
    assert max(Counter(world.requests).values(), default=1) == 1
    # However far it went, a few slots later they are taken again.
    taken = len(world.requests)
    for _ in range(2 * RANGES_KEPT * 60 + 30):
        world.true += 5
        world.look(1.0)
        if len(world.requests) > taken + 1:
            break
    assert len(world.requests) > taken
    assert max(Counter(world.requests).values()) == 1


def test_a_run_that_only_writes_to_the_stores_is_in_nobodys_way() -> None:
    writing = replace(run(0, 30.1, 30.1), asks=False)
    decision = look(looked(0.0), 30.1, writing)
    assert decision.request == at(30)
    assert not decision.dead


def test_a_run_that_does_not_ask_is_found_dead_all_the_same() -> None:
    writing = replace(run(0, 130.0, 130.0), asks=False)
    decision = look(looked(0.0), 130.0, writing)
    assert decision.dead == [writing]
