"""Notes of slots that are not whole, in a real DynamoDB."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.settings import Settings, TtEnvironment
from trade_assets.stores.dynamodb.ledger import GENERATION_KEY, Ledger
from trade_assets.tt.slots.slot_log import REASON_LIMIT, SlotLog, SlotNote, SlotState
from trade_assets_tests.stores.samples import items
from trade_assets_tests.support.stores import Stores

SLOT = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)
STEP = timedelta(seconds=30)
HOUR = timedelta(hours=1)


def note(number: int, last: int | None = None, reason: str = "TT is away") -> SlotNote:
    last = number if last is None else last
    return SlotNote(SLOT + number * STEP, SLOT + last * STEP, SlotState.MISSED, reason)


@pytest.fixture
def log(provisioned: Settings) -> Iterator[SlotLog]:
    with Stores(provisioned) as stores:
        yield stores.slot_log


def test_a_note_reads_back_as_it_was(log: SlotLog) -> None:
    written = SlotNote(
        SLOT,
        SLOT,
        SlotState.PARTIAL,
        "orders: 503 é",
        {"orders": "failed: 503 é", "fills": "taken"},
        "run-1",
    )
    log.note(written)
    log.note(note(1))
    assert log.notes(SLOT - HOUR, SLOT + HOUR) == [written, note(1)]


def test_noting_again_says_it_anew_and_adds_nothing(log: SlotLog, provisioned: Settings) -> None:
    for reason in ("first", "second", "second"):
        log.note(note(0, reason=reason))
    assert [item.reason for item in log.notes(SLOT, SLOT + HOUR)] == ["second"]
    stored = items(provisioned, provisioned.ledger_table)
    assert [item["pk"]["S"] for item in stored] == [GENERATION_KEY, "slots#tt#ext_prod_sim"]


def test_ranges_are_found_wherever_one_looks_into_them(log: SlotLog) -> None:
    log.note(note(0, last=9))
    log.note(note(20))
    inside = SLOT + 5 * STEP
    assert log.notes(inside, inside + STEP) == [note(0, last=9)]
    assert log.notes(SLOT + 10 * STEP, SLOT + 20 * STEP) == []
    assert log.notes(SLOT + 9 * STEP, SLOT + 21 * STEP) == [note(0, last=9), note(20)]
    assert log.notes(SLOT, SLOT) == []


def test_a_note_can_be_withdrawn_but_not_a_range_of_others(log: SlotLog) -> None:
    log.note(note(0))
    log.note(note(5, last=7))
    for number in (0, 5, 99):
        log.withdraw(SLOT + number * STEP)
    assert log.notes(SLOT, SLOT + HOUR) == [note(5, last=7)]


def test_environments_do_not_see_each_other(provisioned: Settings) -> None:
    live = provisioned.changed({"tt_environment": TtEnvironment.LIVE})
    with Stores(provisioned) as stores, Stores(live) as others:
        stores.slot_log.note(note(0))
        assert others.slot_log.notes(SLOT, SLOT + HOUR) == []


def test_a_long_reason_is_cut_and_notes_do_not_disturb_the_ledger(
    log: SlotLog, provisioned: Settings
) -> None:
    log.note(note(0, reason="x" * (REASON_LIMIT + 1)))
    assert len(log.notes(SLOT, SLOT + HOUR)[0].reason) == REASON_LIMIT
    ledger = Ledger(provisioned)
    assert ledger.generation() is not None
    assert ledger.known([("some/file", "etag")]) == {}
    ledger.close()
