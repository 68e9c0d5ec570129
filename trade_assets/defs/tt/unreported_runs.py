"""Slot runs that ended without a word: their process was killed, or they were terminated. Whoever
takes a slot notes himself what it lacks; here is noted what nobody could."""

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
SILENT: Final = "its run ended without a word"

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
            run = record.dagster_run
            if run.run_id not in self._settled:
                _note_if_silent(stores, run.tags.get(SLOT_TAG, ""), run.run_id)
        self._settled = frozenset(record.dagster_run.run_id for record in records)


def _note_if_silent(stores: TtStores, slot_tag: str, run_id: str) -> None:
    try:
        slot = slot_of_text(slot_tag)
    except ValueError:
        return
    if stores.slot_log.notes(slot, slot + SLOT) or _is_whole(stores, slot):
        return
    stores.slot_log.note(SlotNote(slot, slot, SlotState.FAILED, SILENT, {}, run_id))


def _is_whole(stores: TtStores, slot: datetime) -> bool:
    environment = stores.settings.tt.environment.value
    keys = [snapshot_key(environment, kind, slot) for kind in SNAPSHOTS_BY_KIND]
    return all(stores.objects.head_many(keys))
