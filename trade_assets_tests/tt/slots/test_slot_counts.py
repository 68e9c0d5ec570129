"""How slots are counted, and when a kind is stale."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.monitor.freshness import Freshness
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_counts import (
    SlotCounts,
    count_slots,
    kind_freshness,
    missed_in_a_row,
)
from trade_assets.tt.slots.slot_log import SlotNote, SlotState

NOON = datetime(2025, 7, 17, 12, tzinfo=UTC)  # a Thursday, the market is open
ALWAYS = OpenHours.parse(["always"])
SECOND = timedelta(seconds=1)


def board(slot: datetime, *, kinds: dict[str, str] | None = None, failures: int = 0) -> SlotSummary:
    whole = failures == 0
    kinds = kinds if kinds is not None else {"orders": "taken"}
    return SlotSummary(
        slot,
        whole,
        0.8,
        kinds=kinds,
        failures=failures,
        last_whole=slot if whole else None,
        last_kept=slot if "taken" in kinds.values() else None,
    )


FAILED = board(NOON + 3 * SLOT, kinds={"orders": "failed: 503", "fills": "missed"}, failures=4)


def test_the_slot_under_way_is_not_missed() -> None:
    assert missed_in_a_row(ALWAYS, board(NOON - SLOT), NOON + SECOND) == 0
    assert missed_in_a_row(ALWAYS, board(NOON), NOON + SECOND) == 0


def test_slots_that_nobody_asked_for_are_missed() -> None:
    assert missed_in_a_row(ALWAYS, board(NOON), NOON + 3 * SLOT) == 2


def test_slots_of_which_nothing_was_kept_are_missed() -> None:
    failed = board(NOON, kinds={"orders": "failed: TT is away"}, failures=3)
    assert missed_in_a_row(ALWAYS, failed, NOON + SLOT) == 3


def test_a_slot_that_is_kept_in_part_is_not_missed() -> None:
    part = board(NOON, kinds={"orders": "failed: TT is away", "fills": "taken"}, failures=3)
    assert missed_in_a_row(ALWAYS, part, NOON + SLOT) == 0


def test_before_the_first_slot_nobody_can_tell() -> None:
    assert missed_in_a_row(ALWAYS, None, NOON) is None


def test_slots_that_were_not_due_are_not_missed() -> None:
    globex = OpenHours.parse(["globex"])
    friday = datetime(2025, 7, 18, 20, 59, 30, tzinfo=UTC)  # the last slot of the week
    assert missed_in_a_row(globex, board(friday), friday + timedelta(hours=20)) == 0
    opened = datetime(2025, 7, 20, 22, 1, tzinfo=UTC)
    assert missed_in_a_row(globex, board(friday), opened) == 2


@pytest.mark.parametrize(
    ("seen", "seconds", "missed"),
    [
        (None, 0, 0),
        (None, 29, 0),
        (None, 30, 1),
        (None, 95, 3),
        (board(NOON + 3 * SLOT), 95, 0),
        (board(NOON + 3 * SLOT), 125, 0),
        (board(NOON + 3 * SLOT), 200, 2),
        (FAILED, 125, 4),
        (replace(FAILED, last_kept=NOON + SLOT), 125, 2),
        (board(NOON + 99 * SLOT), 125, 0),
        (None, 90_000, 2880),
    ],
)
def test_slots_count_from_the_first_that_somebody_wants(
    seen: SlotSummary | None, seconds: float, missed: int
) -> None:
    assert missed_in_a_row(ALWAYS, seen, NOON + timedelta(seconds=seconds), NOON) == missed


def test_hours_that_are_over_are_not_missed_later() -> None:
    hours = OpenHours.parse(["Thu 07:00-Thu 07:01"])  # noon, in Chicago
    assert missed_in_a_row(hours, None, NOON + timedelta(hours=3), NOON) == 2


def test_the_count_is_bounded() -> None:
    assert missed_in_a_row(ALWAYS, board(NOON), NOON + timedelta(days=400)) == 24 * 120


def test_an_hour_is_counted_by_what_was_noted() -> None:
    hour = timedelta(hours=1)
    notes = [
        SlotNote(NOON - hour - 3 * SLOT, NOON - hour + SLOT, SlotState.MISSED, "away"),
        SlotNote(NOON - 4 * SLOT, NOON - 4 * SLOT, SlotState.FAILED, "TT is away"),
        SlotNote(NOON - 3 * SLOT, NOON - 3 * SLOT, SlotState.PARTIAL, ""),
        SlotNote(NOON - 2 * SLOT, NOON - 2 * SLOT, SlotState.SKIPPED, "still active"),
        SlotNote(NOON, NOON, SlotState.FAILED, "this one is not counted yet"),
    ]
    counts = count_slots(ALWAYS, notes, NOON - hour, NOON)
    assert counts == SlotCounts(due=120, missed=2, skipped=1, failed=1, partial=1)
    assert counts.lacking == 5


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, Freshness.OK), (120, Freshness.OK), (121, Freshness.STALE), (-5, Freshness.OK),
     (-30, Freshness.OK), (-31, Freshness.AHEAD)],
)  # fmt: skip
def test_a_kind_is_stale_after_its_limit_and_ahead_before_its_slot(
    age: float, expected: Freshness
) -> None:
    last = NOON - timedelta(seconds=age)
    assert kind_freshness(ALWAYS, last, 120.0, NOON) is expected


def test_a_kind_without_a_slot_is_empty() -> None:
    assert kind_freshness(ALWAYS, None, 120.0, NOON) is Freshness.EMPTY


def test_a_closed_market_makes_nothing_stale_nor_does_its_opening() -> None:
    globex = OpenHours.parse(["globex"])
    friday = datetime(2025, 7, 18, 20, 59, 30, tzinfo=UTC)
    opening = datetime(2025, 7, 20, 22, tzinfo=UTC)
    for now in (friday + timedelta(hours=20), opening, opening + 119 * SECOND):
        assert kind_freshness(globex, friday, 120.0, now) is Freshness.OK
    late = opening + 121 * SECOND
    assert kind_freshness(globex, friday, 120.0, late) is Freshness.STALE
