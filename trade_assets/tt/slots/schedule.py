"""When a slot is taken: which half minute is requested now, waits, is skipped, or was missed. Pure.

Every due slot ends as one of these. At most one run is active, and at most one slot waits for it to
end: the newest wins, nothing piles up. The wall clock is believed as it is at each look, so it may
jump: forward, then the slots between are missed; back, then slots come again, and those for which
no run was requested may still be taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from trade_assets.settings import Settings
from trade_assets.tt.formats.slot_times import SLOT, hour_of, next_slot, slot_at
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_cursor import Range, SlotCursor
from trade_assets.tt.slots.slot_log import SlotNote, SlotState

NOT_LOOKING: Final = "the daemon was not looking"
NOT_STARTED: Final = "snapshots had not begun"
GONE: Final = "the run's process is gone"

START_SECONDS: Final = 40.0
"""What a run may take from its request to its op, and from there to its end, beyond its calls and
its writes: processes start slowly on a busy machine."""

LEFT_FOR_PENDING: Final = timedelta(seconds=8)
"""A slot that waited is requested only if so much of its half minute is left: its run would come
too late to ask, and be in the way of the next slot."""

LOOKED_AT: Final = timedelta(days=7)
"""How far the open hours are followed from either end of a gap: it bounds the work."""


@dataclass(frozen=True, slots=True)
class SlotLimits:
    """How late a slot may be requested, and how long a run may be active before it is dead."""

    tolerance: timedelta
    run_bound: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "SlotLimits":
        """Those that the settings imply."""
        bound = settings.tt.deadline_seconds + settings.stores.retry_seconds + START_SECONDS
        return cls(timedelta(seconds=settings.tt.slot_tolerance_seconds), timedelta(seconds=bound))


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that has not ended in the books.

    Attributes:
        slot: what it takes; None where it does not say.
        started_at: when it was requested.
        launched_at: when its process was asked for; None: it was not, or has begun.
        begun_at: when its process began; None: it has not, as far as the books know.
        asks: it asks the API, or may be about to. One that only writes to the stores is in nobody's
            way, nor is one that died.
    """

    run_id: str
    slot: datetime | None
    started_at: datetime
    begun_at: datetime | None = None
    launched_at: datetime | None = None
    asks: bool = True


@dataclass
class Decision:
    """What to do now.

    Attributes:
        cursor: to be remembered; its `notes` are to be recorded.
        request: the slot to request a run for.
        dead: unfinished runs whose process must be gone.
        wait_until: the next slot; None if it is not due.
        reason: how things stand, for people.
    """

    cursor: SlotCursor
    request: datetime | None = None
    dead: list[ActiveRun] = field(default_factory=list)
    wait_until: datetime | None = None
    reason: str = ""


def decide(
    cursor: SlotCursor,
    now: datetime,
    active: Sequence[ActiveRun],
    hours: OpenHours,
    limits: SlotLimits,
) -> Decision:
    """Decide all slots that have begun by `now` (UTC); `cursor` stays as it is."""
    look = _Look(Decision(cursor.copy()), now, hours, limits)
    look.begin()
    alive = look.living(active)
    look.pass_over()
    look.newest(alive)
    look.after_the_run(alive)
    look.say(alive)
    return look.decision


@dataclass
class _Look:
    """One look at the clock; the steps are in the order in which `decide` takes them."""

    decision: Decision
    now: datetime
    hours: OpenHours
    limits: SlotLimits

    @property
    def cursor(self) -> SlotCursor:
        return self.decision.cursor

    @property
    def slot(self) -> datetime:
        """The newest slot that has begun."""
        return slot_at(self.now)

    @property
    def late(self) -> bool:
        """It is too late for the newest slot."""
        return self.now - self.slot > self.limits.tolerance

    def begin(self) -> None:
        """Begin with what can still be taken: at the very first look, and where the clock went
        back behind what is decided."""
        last = self.cursor.last
        if last is not None and self.slot >= last:
            return
        self.cursor.last = self.slot if self.late else self.slot - SLOT
        if self.cursor.first is None:
            self._begin_at(self.cursor.last + SLOT)
        # It is in the future now, and comes again.
        self.cursor.pending = None

    def _begin_at(self, first: datetime) -> None:
        """From this slot on slots are wanted; those of its hour that are over never were."""
        self.cursor.first = first
        if hour_of(first) < first:
            self._note((hour_of(first), first - SLOT), SlotState.NOT_WANTED, NOT_STARTED)

    def living(self, active: Sequence[ActiveRun]) -> list[ActiveRun]:
        """The runs that are in the way; those that are too old to be alive are declared dead."""
        # A clock that went back makes a run's start a time to come: it is as old as we know it.
        self.cursor.seen = {
            run.run_id: min(self.now, run.started_at, self.cursor.seen.get(run.run_id, self.now))
            for run in active
        }
        alive = []
        for run in active:
            if self.now - self.cursor.seen[run.run_id] <= self.limits.run_bound:
                if run.asks:
                    alive.append(run)
                continue
            self.decision.dead.append(run)
            if run.slot is not None:
                self._note((run.slot, run.slot), SlotState.FAILED, GONE, run.run_id)
        return alive

    def pass_over(self) -> None:
        """Slots that began and ended, or began too long ago, without a look are missed."""
        assert self.cursor.last is not None
        first, last = self.cursor.last + SLOT, self.slot if self.late else self.slot - SLOT
        if first > last:
            return
        self._skip_pending()
        for stretch in list(self.cursor.requested.outside(first, last)):
            due = _due_within(self.hours, stretch)
            if due is not None:
                self._note(due, SlotState.MISSED, NOT_LOOKING)
        self.cursor.last = last

    def newest(self, alive: Sequence[ActiveRun]) -> None:
        """The slot that has just begun, if this is the first look at it."""
        assert self.cursor.last is not None
        if self.slot <= self.cursor.last:
            return
        self._skip_pending()
        self.cursor.last = self.slot
        if self.slot in self.cursor.requested or self.hours.closed_reason(self.slot) is not None:
            return
        if alive:
            self.cursor.pending = self.slot
            self.cursor.blocker = _run_name(alive[0])
        else:
            self._request(self.slot)

    def after_the_run(self, alive: Sequence[ActiveRun]) -> None:
        """The slot that waited is taken when nothing is in its way any more."""
        pending = self.cursor.pending
        if pending is None or alive or self.now - pending > SLOT - LEFT_FOR_PENDING:
            return
        self._request(pending)
        self.cursor.pending = None

    def say(self, alive: Sequence[ActiveRun]) -> None:
        """How things stand, and when the next slot is."""
        upcoming = next_slot(self.now)
        closed = self.hours.closed_reason(upcoming)
        self.decision.wait_until = upcoming if closed is None else None
        if self.decision.request is not None:
            text = f"slot {_clock(self.decision.request)} requested"
        elif self.cursor.pending is not None and alive:
            text = f"slot {_clock(self.cursor.pending)} waits, {self.cursor.blocker} is active"
        elif self.cursor.pending is not None:
            text = f"it is too late for slot {_clock(self.cursor.pending)}"
        elif alive:
            text = f"{_run_name(alive[0])} is active"
        else:
            text = "no run is active"
        coming = f"next slot {_clock(upcoming)}" + (f" is not due: {closed}" if closed else "")
        self.decision.reason = f"{text}; {coming}"

    def _request(self, slot: datetime) -> None:
        self.decision.request = slot
        self.cursor.requested.add(slot)

    def _skip_pending(self) -> None:
        pending = self.cursor.pending
        if pending is not None:
            self._note((pending, pending), SlotState.SKIPPED, f"{self.cursor.blocker} still active")
            self.cursor.pending = None

    def _note(self, slots: Range, state: SlotState, reason: str, run_id: str = "") -> None:
        note = SlotNote(slots[0], slots[1], state, reason, {}, run_id)
        if note not in self.cursor.notes:
            self.cursor.notes.append(note)


def _due_within(hours: OpenHours, stretch: Range) -> Range | None:
    """The stretch without what is not due at either end; None if nothing in it is due."""
    first, last = stretch
    head = hours.due(first, min(last, first + LOOKED_AT))
    tail = hours.due(max(first, last - LOOKED_AT), last)
    if not head and not tail and last - first <= LOOKED_AT:
        return None
    return (head[0] if head else first), (tail[-1] if tail else last)


def _run_name(run: ActiveRun) -> str:
    if run.slot is None:
        return f"run {run.run_id[:8]}"
    return f"run of slot {_clock(run.slot)}"


def _clock(slot: datetime) -> str:
    return f"{slot:%H:%M:%S}"
