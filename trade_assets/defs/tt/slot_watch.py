"""Waiting for a slot inside a tick: the clock is read again and again, for it may jump."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from trade_assets.defs.tt.slot_runs import end_dead, unfinished_slot_runs, without_lease
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.schedule import Decision, SlotLimits, decide
from trade_assets.tt.slots.slot_cursor import SlotCursor

REACH_SECONDS: Final = 10.0
"""A tick waits only for a slot that is this near: the daemon looks every 5 s, so two ticks have the
chance, and whoever stops the code server waits no longer for the tick."""

PAUSE_SECONDS: Final = 0.25
"""A clock that jumps is noticed after this."""

RUN_PAUSE_SECONDS: Final = 0.5
RUN_SECONDS: Final = 4.0
"""While a slot waits for a run to end, Dagster's books are looked at this often, for so long in a
tick: shorter than the daemon's own pause, so that a tick is there when the next slot begins."""

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class SlotWatch:
    """Looks at the clock and at the runs until a slot is to be requested, or the tick is over.

    `holder` says which run has the slot lease; `loaded_at` is when this code server began.
    """

    instance: dg.DagsterInstance
    hours: OpenHours
    limits: SlotLimits
    holder: Callable[[], str | None]
    loaded_at: datetime
    clock: Clock = utc_now
    sleep: Callable[[float], None] = time.sleep

    def wait(self, cursor: SlotCursor) -> Decision:
        """The last decision; its cursor has what all of them noted."""
        slept = 0.0
        while True:
            decision = self._look(cursor)
            pause = self._pause(decision, slept)
            if pause is None:
                return decision
            self.sleep(pause)
            slept += pause
            cursor = decision.cursor

    def _look(self, cursor: SlotCursor) -> Decision:
        now = self.clock()
        active = without_lease(
            unfinished_slot_runs(self.instance), now, self.holder, self.loaded_at
        )
        decision = decide(cursor, now, active, self.hours, self.limits)
        end_dead(self.instance, decision.dead)
        return decision

    def _pause(self, decision: Decision, slept: float) -> float | None:
        """How long to sleep before the next look; None: no more of them in this tick."""
        if decision.request is not None or slept > RUN_SECONDS + REACH_SECONDS:
            return None
        waits = decision.cursor.pending is not None
        if decision.wait_until is not None:
            seconds = (decision.wait_until - self.clock()).total_seconds()
            if seconds <= REACH_SECONDS:
                return min(max(seconds, 0.0), RUN_PAUSE_SECONDS if waits else PAUSE_SECONDS)
        return RUN_PAUSE_SECONDS if waits and slept < RUN_SECONDS else None
