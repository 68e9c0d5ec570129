"""The slot sensor: one run a half minute, on the half minute; one report an hour.

It also evaluates the alarms and reports a kind's freshness when that changes, beside the slots and
never at their cost.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import dagster as dg

from trade_assets.defs.shared.dagster_terms import AssetJob
from trade_assets.defs.shared.names import SLOT_SENSOR
from trade_assets.defs.tt.hour_report import hour_report_request, hour_to_report
from trade_assets.defs.tt.slot_run import tt_snapshot
from trade_assets.defs.tt.slot_runs import LeaseLook, slot_run_request
from trade_assets.defs.tt.slot_watch import Clock, SlotWatch, utc_now
from trade_assets.defs.tt.tick_tasks import TaskParts, Tick, TickTasks, all_tasks
from trade_assets.defs.tt.unreported_runs import UnreportedRuns
from trade_assets.ingest.json_cursor import JsonCursor
from trade_assets.settings import Settings
from trade_assets.tt.formats.slot_times import next_slot
from trade_assets.tt.slots.open_hours import open_hours
from trade_assets.tt.slots.schedule import Decision, SlotLimits
from trade_assets.tt.slots.slot_cursor import SlotCursor
from trade_assets.tt.tt_alarms import TtAlarms
from trade_assets.tt.tt_stores import TtStores

TASK_SECONDS: Final = 3.0
SLOT_MARGIN_SECONDS: Final = 0.5
"""TickTasks end, or are left alone, this long before a slot."""


@dataclass
class TickCursor(JsonCursor):
    """What the sensor remembers between ticks; bounded.

    Attributes:
        slots: the `SlotCursor`, as JSON.
        reported: the last hour whose report was requested, as ISO time.
        freshness: by path of a data set, the last reported result.
    """

    slots: str | None = None
    reported: str | None = None
    freshness: dict[str, bool] = field(default_factory=dict)


def slot_sensor(
    settings: Settings,
    report_job: AssetJob,
    clock: Clock = utc_now,
    sleep: Callable[[float], None] = time.sleep,
) -> dg.SensorDefinition:
    """The sensor over the slots of the TT API."""
    hours, limits = open_hours(settings), SlotLimits.of(settings)
    tasks, alarms, lease = TickTasks(), TtAlarms(settings), LeaseLook(settings)
    silent, loaded_at = UnreportedRuns(), utc_now()

    @dg.sensor(
        name=SLOT_SENSOR,
        jobs=[tt_snapshot, report_job],
        # The daemon looks every 5 s; 0 would mean 30.
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests one run a half minute (:00 and :30 UTC); the newest slot wins.",
    )
    def tt_slots(
        context: dg.SensorEvaluationContext, quick_tt_stores: dg.ResourceParam[TtStores]
    ) -> dg.SensorResult:
        cursor = TickCursor.from_json(context.cursor)
        tick = Tick(SlotCursor.from_json(cursor.slots), cursor.freshness)
        if not settings.tt.snapshots_enabled:
            return _resting(cursor, tick.slots)
        parts = TaskParts(quick_tt_stores, hours, alarms, silent)
        work = all_tasks(parts, context.instance, tick)
        tasks.run(tick, work, _seconds_for_tasks(clock()))
        watch = SlotWatch(context.instance, hours, limits, lease.holder, loaded_at, clock, sleep)
        decision = watch.wait(tick.slots)
        hour, cursor.reported = hour_to_report(
            cursor.reported, decision.cursor.first, clock(), hours
        )
        cursor.slots, cursor.freshness = decision.cursor.to_json(), tick.freshness
        requests = _requests(decision, hour)
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else "; ".join([decision.reason, *tick.problems]),
            cursor=cursor.to_json(),
            asset_events=tick.events,
        )

    return tt_slots


def _resting(cursor: TickCursor, slots: SlotCursor) -> dg.SensorResult:
    """Switched off: no slot is looked at, so that none is missed when it is on again."""
    slots.rest()
    cursor.slots, cursor.reported = slots.to_json(), None
    return dg.SensorResult(
        skip_reason="snapshots are switched off (TRADE_ASSETS_TT_SNAPSHOTS_ENABLED)",
        cursor=cursor.to_json(),
    )


def _seconds_for_tasks(now: datetime) -> float:
    left = (next_slot(now) - now).total_seconds() - SLOT_MARGIN_SECONDS
    return max(0.0, min(TASK_SECONDS, left))


def _requests(decision: Decision, hour: datetime | None) -> Sequence[dg.RunRequest]:
    requests = []
    if decision.request is not None:
        requests.append(slot_run_request(decision.request))
    if hour is not None:
        requests.append(hour_report_request(hour))
    return requests
