"""Hours of slots: which are whole, what is said of the others, and when a report is due."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.defs.tt.hour_report import (
    REPORT_AFTER,
    REPORTED_BACK,
    SLOTS_KEY,
    hour_to_report,
    slot_hour,
)
from trade_assets.settings import Settings
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets_tests.defs.tt.documents import HOUR, KINDS, put_document
from trade_assets_tests.defs.tt.rerunning import rerun, told
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores

ALWAYS = OpenHours.parse(["always"])
FEW = "Thu 12:00-Thu 12:02"
"""Four slots of the hour, 17:00 UTC."""

HOURS = timedelta(hours=1)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def few(local_parts: LocalParts, provisioned: Settings) -> Settings:
    """Settings by which four slots of the hour are due."""
    return provisioned.changed({"tt_market_hours": [FEW]})


@pytest.fixture
def stores(few: Settings) -> Iterator[Stores]:
    with Stores(few) as made:
        yield made


def put(stores: Stores, *numbers: int, kinds: tuple[str, ...] = KINDS) -> None:
    """Keep raw snapshots of slots of the hour."""
    for number in numbers:
        for kind in kinds:
            put_document(stores, kind, HOUR + number * SLOT, [])


def test_a_whole_hour_is_materialised(
    stores: Stores, few: Settings, instance: dg.DagsterInstance
) -> None:
    put(stores, 0, 1, 2, 3)
    result = rerun(few, instance, [SLOTS_KEY])
    assert result.success
    found = told(result, SLOTS_KEY)
    assert (found["slots_due"], found["slots_whole"], found["slots_missing"]) == (4, 4, 0)


def test_an_hour_that_lacks_something_fails_and_says_what_and_why(
    stores: Stores, few: Settings, instance: dg.DagsterInstance
) -> None:
    put(stores, 0)
    put(stores, 2, kinds=("orders", "instruments"))
    missed = SlotNote(HOUR + SLOT, HOUR + SLOT, SlotState.MISSED, "the daemon was not looking")
    stores.slot_log.note(missed)
    result = rerun(few, instance, [SLOTS_KEY])
    assert not result.success
    assert result.get_asset_materialization_events() == []
    data = result.failure_data_for_node("tt__slots__hour")
    assert data is not None
    assert data.user_failure_data is not None
    assert data.user_failure_data.description == "3 of 4 slots are not whole"
    assert str(data.user_failure_data.metadata["missing"].value).splitlines()[2:] == [
        "| 17:00:30 | orders, fills, positions, instruments | missed: the daemon was not looking |",
        "| 17:01:00 | fills, positions | nothing was noted |",
        "| 17:01:30 | orders, fills, positions, instruments | nothing was noted |",
    ]


def test_a_note_of_many_slots_speaks_for_each(stores: Stores) -> None:
    stores.slot_log.note(
        SlotNote(HOUR - 10 * SLOT, HOUR + 2 * SLOT, SlotState.MISSED, "a long one")
    )
    found = slot_hour(stores, ALWAYS, HOUR)
    assert len(found.missing) == len(found.due) == 120
    assert str(found.metadata["missing"].value).count("a long one") == 3


def test_slots_before_the_first_start_were_never_due(
    stores: Stores, few: Settings, instance: dg.DagsterInstance
) -> None:
    put(stores, 2, 3)
    stores.slot_log.note(SlotNote(HOUR, HOUR + SLOT, SlotState.NOT_WANTED, "not begun"))
    result = rerun(few, instance, [SLOTS_KEY])
    assert result.success
    found = told(result, SLOTS_KEY)
    assert (found["slots_due"], found["slots_whole"], found["slots_missing"]) == (2, 2, 0)
    figures = SnapshotHour(stores, SNAPSHOTS["tt/orders"], [f"{HOUR:{PARTITION_FORMAT}}"]).figures
    assert (figures.slots_due, figures.missing) == (2, [])


def test_what_was_wanted_before_a_new_start_stays_due(stores: Stores) -> None:
    put(stores, 1, kinds=("orders",))
    failed = SlotNote(HOUR, HOUR, SlotState.FAILED, "it failed")
    stores.slot_log.note(failed)
    # Switched off and on again in the hour: neither the failed slot nor the partial one is undone.
    stores.slot_log.note(SlotNote(HOUR, HOUR + 3 * SLOT, SlotState.NOT_WANTED, "not begun"))
    assert stores.slot_log.notes(HOUR, HOUR + SLOT) == [failed]
    stores.slot_log.note(SlotNote(HOUR + SLOT, HOUR + 3 * SLOT, SlotState.NOT_WANTED, "not begun"))
    found = slot_hour(stores, OpenHours.parse([FEW]), HOUR)
    assert list(found.missing) == [HOUR, HOUR + SLOT]
    assert len(found.due) == 2


def test_an_hour_that_is_not_over_is_no_whole_one(
    few: Settings, instance: dg.DagsterInstance
) -> None:
    partition = datetime.now(UTC).replace(minute=0).strftime(PARTITION_FORMAT)
    # Unless it ends this very moment; then it is another one that is not over.
    result = rerun(few, instance, [SLOTS_KEY], partition)
    assert not result.success or datetime.now(UTC).strftime(PARTITION_FORMAT)[:13] > partition[:13]


def test_an_hour_in_which_nothing_was_due_is_whole(
    few: Settings, instance: dg.DagsterInstance
) -> None:
    result = rerun(few, instance, [SLOTS_KEY], (HOUR + 5 * HOURS).strftime(PARTITION_FORMAT))
    assert result.success
    assert told(result, SLOTS_KEY)["slots_due"] == 0


def due(reported: datetime | None, now: datetime, hours: OpenHours = ALWAYS) -> datetime | None:
    """The hour to report, with the first slot at 17:00."""
    text = None if reported is None else reported.isoformat()
    return hour_to_report(text, HOUR, now, hours)[0]


@pytest.mark.parametrize(
    ("reported", "after", "hour"),
    [
        (None, HOURS, None),
        (None, HOURS + REPORT_AFTER, 0),
        (0, HOURS + REPORT_AFTER, None),
        (0, 2 * HOURS + REPORT_AFTER, 1),
        (0, 5 * HOURS + REPORT_AFTER, 1),
        (3, 5 * HOURS + REPORT_AFTER, 4),
        (9, 5 * HOURS + REPORT_AFTER, None),
        (None, REPORTED_BACK * 3, 94),
    ],
)
def test_hours_are_reported_in_their_order(
    reported: int | None, after: timedelta, hour: int | None
) -> None:
    last = None if reported is None else HOUR + reported * HOURS
    expected = None if hour is None else HOUR + hour * HOURS
    assert due(last, HOUR + after) == expected


def test_hours_without_due_slots_are_passed_over() -> None:
    hours = OpenHours.parse(["Thu 12:00-Thu 13:00", "Thu 16:00-Thu 17:00"])
    assert due(HOUR, HOUR + 4 * HOURS, hours) is None
    assert due(HOUR, HOUR + 6 * HOURS, hours) == HOUR + 4 * HOURS


def test_a_clock_that_was_ahead_does_not_hold_up_the_reports() -> None:
    _, remembered = hour_to_report(None, HOUR + 900 * HOURS, HOUR + 901.5 * HOURS, ALWAYS)
    _, remembered = hour_to_report(remembered, HOUR, HOUR + 1.5 * HOURS, ALWAYS)
    assert hour_to_report(remembered, HOUR, HOUR + 2.5 * HOURS, ALWAYS)[0] == HOUR + HOURS


def test_before_the_first_slot_nothing_is_reported() -> None:
    assert hour_to_report(None, None, HOUR, ALWAYS) == (None, None)
