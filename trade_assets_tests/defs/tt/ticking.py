"""The slot sensor as the daemon evaluates it, on a clock that tests set."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

import dagster as dg

from trade_assets.defs.shared.names import QUICK_TT_STORES, SLOT_JOB
from trade_assets.defs.tt.hour_report import hour_report_job
from trade_assets.defs.tt.slot_run import tt_snapshot
from trade_assets.defs.tt.slot_runs import slot_run_request
from trade_assets.defs.tt.slot_sensor import TickCursor, slot_sensor
from trade_assets.tt.formats.slot_times import slot_text
from trade_assets.tt.slots.slot_cursor import SlotCursor
from trade_assets_tests.support.stores import Stores

NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
"""Noon US Central of a Wednesday."""


@dataclass
class FakeClock:
    """A wall clock that goes only by sleeping, and jumps when it is told to."""

    now: datetime = NOON
    slept: float = 0.0
    jumps: dict[float, float] = field(default_factory=dict)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Go on; at a time slept of a key of `jumps` it jumps by its value."""
        self.slept += seconds
        self.now += timedelta(seconds=seconds)
        for when in [when for when in self.jumps if when <= self.slept]:
            self.now += timedelta(seconds=self.jumps.pop(when))

    def set(self, seconds: float) -> None:
        """Seconds from noon."""
        self.now = NOON + timedelta(seconds=seconds)


@dataclass
class SlotTicker:
    """Evaluates the sensor: the cursor of a tick is that of the next."""

    stores: Stores
    instance: dg.DagsterInstance
    clock: FakeClock = field(default_factory=FakeClock)
    cursor: str | None = None

    @cached_property
    def sensor(self) -> dg.SensorDefinition:
        settings = self.stores.settings
        return slot_sensor(settings, hour_report_job(), self.clock, self.clock.sleep)

    def tick(self, seconds: float | None = None) -> dg.SensorResult:
        """A tick that begins so many seconds after noon; default: now."""
        if seconds is not None:
            self.clock.set(seconds)
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={QUICK_TT_STORES: self.stores}
        )
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return result

    def requested(self, seconds: float | None = None) -> list[str]:
        """Run keys of the slots that a tick requests."""
        requests = self.tick(seconds).run_requests or []
        return [str(item.run_key) for item in requests if item.job_name == SLOT_JOB]

    def said(self, seconds: float | None = None) -> str:
        """The skip reason of a tick that requests nothing."""
        result = self.tick(seconds)
        assert not result.run_requests
        assert isinstance(result.skip_reason, dg.SkipReason)
        return str(result.skip_reason.skip_message)

    @property
    def slots(self) -> SlotCursor:
        """What is remembered of the slots."""
        return SlotCursor.from_json(TickCursor.from_json(self.cursor).slots)

    def start_run(self, seconds: float) -> str:
        """Put an unfinished run of a slot into Dagster's books; its id."""
        request = slot_run_request(NOON + timedelta(seconds=seconds))
        return self.instance.create_run_for_job(
            tt_snapshot, run_config=dict(request.run_config), tags=dict(request.tags)
        ).run_id

    def end_run(self, run_id: str) -> None:
        """End it there."""
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        self.instance.report_run_canceled(run)


def key(seconds: float) -> str:
    """Run key of the slot so many seconds after noon."""
    return slot_text(NOON + timedelta(seconds=seconds))
