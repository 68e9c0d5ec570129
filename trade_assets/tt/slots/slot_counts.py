"""How the slots went lately: missed in a row, an hour's count, how fresh a kind is. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from trade_assets.monitor.freshness import Freshness
from trade_assets.tt.formats.slot_times import SLOT, first_slot_from, slot_at
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_log import SlotNote, SlotState

LOOKED_BACK: Final = timedelta(days=1)
"""Slots are counted this far back: it bounds the work."""


@dataclass(frozen=True, slots=True)
class SlotCounts:
    """Slots of a stretch of time: those that were due by its end, and what some of them lack."""

    due: int
    missed: int
    skipped: int
    failed: int
    partial: int

    @property
    def lacking(self) -> int:
        """Slots that are not whole."""
        return self.missed + self.skipped + self.failed + self.partial


def missed_in_a_row(
    hours: OpenHours, board: SlotSummary | None, now: datetime, first: datetime | None = None
) -> int | None:
    """Due slots of which nothing was kept, up to the newest one whose half minute is over.

    `first` is the slot from which on somebody wants slots, where that is known. None: no slot was
    ever asked for, so nobody can tell.
    """
    kept = None if board is None else board.last_kept
    if kept is not None:
        begin = kept + SLOT
    elif first is not None:
        begin = first
    elif board is not None:
        begin = board.slot - SLOT * max(board.failures - 1, 0)
    else:
        return None
    begin = max(begin, first or begin, first_slot_from(now - LOOKED_BACK))
    last = slot_at(now) - SLOT
    return len(hours.due(begin, last)) if begin <= last else 0


def count_slots(
    hours: OpenHours, notes: Iterable[SlotNote], since: datetime, until: datetime
) -> SlotCounts:
    """Slots from `since` (inclusive) to `until` (exclusive) by what was noted of them."""
    last = slot_at(until) if slot_at(until) < until else until - SLOT
    counts = dict.fromkeys(SlotState, 0)
    # Where nothing else is said of them they were never due.
    for note in notes:
        counts[note.state] += len(hours.due(max(note.first, since), min(note.last, last)))
    return SlotCounts(
        due=len(hours.due(since, last)) - counts[SlotState.NOT_WANTED],
        missed=counts[SlotState.MISSED],
        skipped=counts[SlotState.SKIPPED],
        failed=counts[SlotState.FAILED],
        partial=counts[SlotState.PARTIAL],
    )


def kind_freshness(
    hours: OpenHours, last_slot: datetime | None, limit_seconds: float, now: datetime
) -> Freshness:
    """How fresh a kind is. A slot that was not due so long ago makes nothing stale: a closed market
    does not, and neither does one that has just opened.

    A slot of a time to come was noted by a clock that was ahead.
    """
    if last_slot is None:
        return Freshness.EMPTY
    if last_slot - now > SLOT:
        return Freshness.AHEAD
    limit = timedelta(seconds=limit_seconds)
    due = hours.closed_reason(slot_at(now - limit)) is None
    return Freshness.STALE if due and now - last_slot > limit else Freshness.OK
