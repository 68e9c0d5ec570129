"""A slot run that ended without a note gets one, once, and only where something is missing."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from trade_assets.defs.shared.names import SLOT_JOB, SLOT_TAG
from trade_assets.defs.tt.unreported_runs import TERMINATED, UnreportedRuns
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


def test_it_is_noted_once_and_says_that_it_was_terminated(
    stores: Stores, instance: dg.DagsterInstance
) -> None:
    slot = slot_at(datetime.now(UTC))
    run = ended(instance, slot, dg.DagsterRunStatus.CANCELED)
    silent = UnreportedRuns()
    silent.note(instance, stores)
    assert noted(stores, slot) == [(SlotState.FAILED, TERMINATED, run.run_id)]
    stores.slot_log.withdraw(slot)
    silent.note(instance, stores)
    assert noted(stores, slot) == []


def test_the_note_says_what_the_books_say(stores: Stores, instance: dg.DagsterInstance) -> None:
    slot = slot_at(datetime.now(UTC)) - 10 * SLOT
    run = ended(instance, slot, dg.DagsterRunStatus.STARTING)
    instance.report_run_failed(run, "Could not reach\n the code server")
    UnreportedRuns().note(instance, stores)
    reason = "its run failed, its process never began: Could not reach the code server"
    assert noted(stores, slot) == [(SlotState.FAILED, reason, run.run_id)]


def test_books_that_say_nothing_are_said_to(stores: Stores, instance: dg.DagsterInstance) -> None:
    slot = slot_at(datetime.now(UTC)) - 12 * SLOT
    ended(instance, slot, dg.DagsterRunStatus.FAILURE)
    UnreportedRuns().note(instance, stores)
    ((_, reason, _),) = noted(stores, slot)
    assert reason.endswith("the books do not say why")


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
