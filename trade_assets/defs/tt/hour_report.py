"""The asset `tt/slots/hour`: an hour is materialised when every slot that was due in it has all its
raw snapshots. One that is not fails, and says which are missing and why: both show in the UI.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg

from trade_assets.datasets.keys import PARTITION_FORMAT, RAW, partition_hour
from trade_assets.defs.shared.dagster_terms import AssetJob, layer_key
from trade_assets.defs.shared.names import HOUR_REPORT_JOB, REPORT_RUNS, RUN_KIND_TAG, TT_STORES
from trade_assets.io_managers.metadata import rows_table
from trade_assets.logs import configure_run
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT, hour_of
from trade_assets.tt.formats.snapshot import SNAPSHOT_GROUPS, TT_SOURCE
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.raw_documents import SnapshotDocuments
from trade_assets.tt.slots.slot_log import SlotNote, never_due
from trade_assets.tt.tt_stores import TtStores

SLOTS_KEY: Final = dg.AssetKey([TT_SOURCE, "slots", "hour"])

REPORT_AFTER: Final = timedelta(seconds=90)
"""After an hour's end, until its report is requested: its last slot's run has ended by then."""

REPORTED_BACK: Final = timedelta(hours=48)
"""Hours further back than this are not reported by themselves any more."""

LISTED: Final = 20
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class SlotHour:
    """What an hour of slots has, and what it lacks.

    Attributes:
        due: slots that were due.
        missing: kinds without a raw snapshot, by slot.
        notes: what the slot log says about the hour.
    """

    due: list[datetime]
    missing: Mapping[datetime, list[str]]
    notes: list[SlotNote]

    @property
    def metadata(self) -> dict[str, Any]:
        """For the materialisation or the failure."""
        listed = list(self.missing.items())[:LISTED]
        rows = [
            {"slot": f"{slot:%H:%M:%S}", "missing": ", ".join(kinds), "reason": self._why(slot)}
            for slot, kinds in listed
        ]
        return {
            "slots_due": len(self.due),
            "slots_whole": len(self.due) - len(self.missing),
            "slots_missing": len(self.missing),
            "missing": rows_table(rows),
        }

    def _why(self, slot: datetime) -> str:
        for note in self.notes:
            if note.first <= slot <= note.last:
                kinds = "; ".join(f"{kind}: {reason}" for kind, reason in note.kinds.items())
                return f"{note.state.value}: {note.reason or kinds}"
        return "nothing was noted"


def slots_asset(hours: OpenHours, partitions: dg.HourlyPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset."""

    @dg.asset(
        key=SLOTS_KEY,
        deps=[layer_key(snapshot, RAW) for snapshot in SNAPSHOTS.values()],
        partitions_def=partitions,
        group_name=f"{SNAPSHOT_GROUPS}slots",
        kinds={"s3"},
        description="Hours in which every slot that was due has all its raw snapshots; an hour "
        "that lacks one fails and says why.",
        required_resource_keys={TT_STORES},
    )
    def hour(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        stores: TtStores = context.resources.tt_stores
        configure_run(stores.settings, context.run.run_id)
        start = partition_hour(context.partition_key)
        if datetime.now(UTC) < start + _HOUR:
            raise dg.Failure(f"the hour {context.partition_key} is not over", allow_retries=False)
        found = slot_hour(stores, hours, start)
        if found.missing:
            raise dg.Failure(
                f"{len(found.missing)} of {len(found.due)} slots are not whole",
                metadata=found.metadata,
                allow_retries=False,
            )
        return dg.MaterializeResult(metadata=found.metadata)

    return hour


def slot_hour(stores: TtStores, hours: OpenHours, start: datetime) -> SlotHour:
    """What the bucket and the slot log have of an hour.

    Raises:
        StoreUnavailableError: one of them cannot be reached.
    """
    due = hours.due(start, start + _HOUR - SLOT)
    documents = SnapshotDocuments(stores.objects, stores.settings.tt.environment.value)
    missing: dict[datetime, list[str]] = {}
    for snapshot in SNAPSHOTS.values():
        there = set(documents.hour_keys(snapshot.kind, start))
        for slot in due:
            if documents.key(snapshot.kind, slot) not in there:
                missing.setdefault(slot, []).append(snapshot.kind)
    notes = stores.slot_log.notes(start, start + _HOUR) if missing else []
    never = {
        slot
        for slot, kinds in missing.items()
        if len(kinds) == len(SNAPSHOTS) and never_due(notes, slot)
    }
    return SlotHour(
        [slot for slot in due if slot not in never],
        {slot: missing[slot] for slot in sorted(missing.keys() - never)},
        notes,
    )


def hour_report_job() -> AssetJob:
    """The job that reports an hour."""
    return dg.define_asset_job(
        HOUR_REPORT_JOB,
        selection=dg.AssetSelection.assets(SLOTS_KEY),
        tags={RUN_KIND_TAG: REPORT_RUNS},
        description="Says of an hour of slots whether it is whole; reads only.",
    )


def hour_report_request(hour: datetime) -> dg.RunRequest:
    """Request the one report of an hour."""
    partition = f"{hour:{PARTITION_FORMAT}}"
    return dg.RunRequest(run_key=partition, job_name=HOUR_REPORT_JOB, partition_key=partition)


def hour_to_report(
    reported: str | None, first: datetime | None, now: datetime, hours: OpenHours
) -> tuple[datetime | None, str | None]:
    """The oldest hour that is over, had slots due, and was not reported; and what to remember.

    Args:
        reported: what was remembered last.
        first: the first slot that was looked at; None: no hour is of interest yet.
    """
    if first is None:
        return None, reported
    over = hour_of(now - REPORT_AFTER) - _HOUR
    hour = max(hour_of(first), over - REPORTED_BACK)
    if reported is not None:
        # Later than what is over: the clock went back, and hours come again.
        last = min(datetime.fromisoformat(reported), over)
        reported = last.isoformat()
        hour = max(hour, last + _HOUR)
    while hour <= over:
        reported = hour.isoformat()
        if hours.due(hour, hour + _HOUR - SLOT):
            return hour, reported
        hour += _HOUR
    return None, reported
