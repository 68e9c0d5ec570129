"""Slot runs that ended without a note: their process was killed or never began, or they were
terminated. Whoever takes a slot notes himself what it lacks; here is noted what nobody could, with
what Dagster's books say of it."""

from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from trade_assets.defs.shared.names import SLOT_JOB, SLOT_TAG
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.slot_times import SLOT, slot_of_text
from trade_assets.tt.formats.snapshot_keys import snapshot_key
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets.tt.tt_stores import TtStores

LOOKED_BACK: Final = timedelta(minutes=15)
TERMINATED: Final = "its run was terminated"
REASON_LENGTH: Final = 300

_RUNS_LOOKED_AT: Final = 40
_ENDED_BADLY: Final = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


class UnreportedRuns:
    """Finds them. Each run is looked at once."""

    def __init__(self) -> None:
        self._settled: frozenset[str] = frozenset()

    def note(self, instance: dg.DagsterInstance, stores: TtStores) -> None:
        """Note the slots of runs that ended badly, unless somebody has, or nothing is missing.

        Raises:
            StoreUnavailableError: a store cannot be reached; the next look does it.
        """
        records = instance.get_run_records(
            dg.RunsFilter(
                job_name=SLOT_JOB,
                statuses=_ENDED_BADLY,
                created_after=datetime.now(UTC) - LOOKED_BACK,
            ),
            limit=_RUNS_LOOKED_AT,
        )
        for record in records:
            if record.dagster_run.run_id not in self._settled:
                _note_if_silent(instance, stores, record)
        self._settled = frozenset(record.dagster_run.run_id for record in records)


def what_happened(instance: dg.DagsterInstance, record: dg.RunRecord) -> str:
    """How a run ended that cannot say so itself, by the books."""
    run = record.dagster_run
    if run.status is dg.DagsterRunStatus.CANCELED:
        return TERMINATED
    found = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    event = found.records[-1].event_log_entry.dagster_event if found.records else None
    message = " ".join(((event and event.message) or "the books do not say why").split())
    begun = "its process began, and then" if record.start_time else "its process never began"
    return f"its run failed, {begun}: {message}"[:REASON_LENGTH]


def _note_if_silent(instance: dg.DagsterInstance, stores: TtStores, record: dg.RunRecord) -> None:
    run = record.dagster_run
    try:
        slot = slot_of_text(run.tags.get(SLOT_TAG, ""))
    except ValueError:
        return
    if stores.slot_log.notes(slot, slot + SLOT) or _is_whole(stores, slot):
        return
    reason = what_happened(instance, record)
    stores.slot_log.note(SlotNote(slot, slot, SlotState.FAILED, reason, {}, run.run_id))


def _is_whole(stores: TtStores, slot: datetime) -> bool:
    environment = stores.settings.tt.environment.value
    keys = [snapshot_key(environment, kind, slot) for kind in SNAPSHOTS_BY_KIND]
    return all(stores.objects.head_many(keys))
