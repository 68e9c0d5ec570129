"""A slot run that ended without a word leaves a note, once, and only where something is missing."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from trade_assets.defs.shared.names import SLOT_JOB, SLOT_TAG
from trade_assets.defs.tt.unreported_runs import SILENT, UnreportedRuns
from trade_assets.tt.formats.slot_times import SLOT, slot_at, slot_text
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets_tests.defs.tt.documents import KINDS, put_document
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

# The tests share their stores: each has slots of its own.


def ended(
    instance: dg.DagsterInstance, slot: datetime, status: dg.DagsterRunStatus
) -> dg.DagsterRun:
    tags = {SLOT_TAG: slot_text(slot)}
    return instance.add_run(dg.DagsterRun(job_name=SLOT_JOB, status=status, tags=tags))


def noted(stores: Stores, slot: datetime) -> list[tuple[SlotState, str, str | None]]:
    notes = stores.slot_log.notes(slot, slot + SLOT)
    return [(note.state, note.reason, note.run_id) for note in notes]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
def test_it_is_noted(
    stores: Stores, instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    slot = slot_at(datetime.now(UTC))
    run = ended(instance, slot, status)
    silent = UnreportedRuns()
    silent.note(instance, stores)
    assert noted(stores, slot) == [(SlotState.FAILED, SILENT, run.run_id)]
    stores.slot_log.withdraw(slot)
    silent.note(instance, stores)
    assert noted(stores, slot) == []


def test_who_said_why_is_left_alone(stores: Stores, instance: dg.DagsterInstance) -> None:
    slot = slot_at(datetime.now(UTC)) - 20 * SLOT
    ended(instance, slot, dg.DagsterRunStatus.FAILURE)
    stores.slot_log.note(SlotNote(slot, slot, SlotState.FAILED, "503", {}, "its run"))
    UnreportedRuns().note(instance, stores)
    assert noted(stores, slot) == [(SlotState.FAILED, "503", "its run")]


def test_nothing_is_noted_where_nothing_is_missing(
    stores: Stores, instance: dg.DagsterInstance
) -> None:
    slot = slot_at(datetime.now(UTC)) - 40 * SLOT
    ended(instance, slot, dg.DagsterRunStatus.FAILURE)
    for kind in KINDS:
        put_document(stores, kind, slot, [])
    ended(instance, slot - SLOT, dg.DagsterRunStatus.SUCCESS)
    UnreportedRuns().note(instance, stores)
    assert noted(stores, slot) == []
    assert noted(stores, slot - SLOT) == []
