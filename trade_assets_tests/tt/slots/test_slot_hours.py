"""Rerunning hours from the raw documents: the same state as live, and never a call."""

import random
from dataclasses import replace

import pytest
from polars.testing import assert_frame_equal

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.errors import MalformedAnswerError, RemoteUnavailableError
from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.formats.slot_times import hour_of
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets_tests.stores.samples import history_items, raw_redis, redis_records
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.conftest import (
    Desk,
    forget_history,
    forget_redis,
    new_desk,
    slot_of,
)
from trade_assets_tests.tt.slots.model import ZF, ZN
from trade_assets_tests.tt.slots.rerun import contents, rerun

FIRST_HOUR, SECOND_HOUR = hour_of(slot_of(0)), hour_of(slot_of(3))
HOURS = (FIRST_HOUR, SECOND_HOUR)


def partition(number: int) -> str:
    return hour_of(slot_of(number)).strftime(PARTITION_FORMAT)


def hour_of_kind(desk: Desk, kind: str, *numbers: int, now: int = 10) -> SnapshotHour:
    partitions = [partition(number) for number in numbers]
    return SnapshotHour(desk.stores, SNAPSHOTS_BY_KIND[kind], partitions, slot_of(now))


def live(desk: Desk, slots: int, seed: int) -> None:
    """Slots with all that a desk does, some of them missed or failing in parts."""
    dice = random.Random(seed)
    for number in range(slots):
        for _ in range(dice.randint(0, 2)):
            name = f"o{dice.randint(1, 5)}"
            instrument = dice.choice([ZN, ZF])
            desk.model.order(name, dice.randint(1, 4) / 64, desk.time_ns(number), instrument)
        for name in dice.sample(sorted(desk.model.orders), len(desk.model.orders) // 3):
            del desk.model.orders[name]
        for _ in range(dice.randint(0, 3)):
            desk.model.fill(f"f{len(desk.model.fills) + 1}", desk.time_ns(number))
        desk.model.position(float(dice.randint(1, 2)), dice.choice([ZN, ZF]))
        if dice.random() < 0.2:
            continue
        for kind in ("orders", "fills", "positions", f"instrument/{ZN}"):
            if dice.random() < 0.1:
                desk.api.faults[kind] = lambda: RemoteUnavailableError("503")
        desk.take(number)
        desk.api.faults.clear()
    assert desk.take(slots).whole


@pytest.mark.parametrize("seed", range(3))
def test_a_rerun_ends_in_the_very_state_of_the_live_slots(desk: Desk, seed: int) -> None:
    live(desk, 9, seed)
    expected = contents(desk.settings)
    assert expected["history"]
    asked = list(desk.api.asked)

    rerun(desk.stores, HOURS)  # over what is there: nothing changes
    assert contents(desk.settings) == expected
    forget_redis(desk.settings)
    forget_history(desk.settings)
    for hour in HOURS:  # an hour a run
        rerun(desk.stores, [hour])
    assert contents(desk.settings) == expected
    forget_redis(desk.settings)
    forget_history(desk.settings)
    rerun(desk.stores, HOURS)  # all in one run
    assert contents(desk.settings) == expected
    assert desk.api.asked == asked


def test_a_rerun_of_an_old_hour_brings_back_nothing_that_is_gone(desk: Desk) -> None:
    for number in range(3):
        desk.take(number)
    del desk.model.orders["o1"]
    desk.model.order("o2", 112.0, desk.time_ns(3))
    desk.take(3)
    expected = contents(desk.settings)
    read = rerun(desk.stores, [FIRST_HOUR])
    assert contents(desk.settings) == expected
    assert list(redis_records(desk.settings, ORDERS)["keys"]) == ["o2"]
    assert desk.stores.latest.status(ORDERS)["last_file"] == desk.documents.key(
        "orders", slot_of(3)
    )
    assert read["orders"].figures.files == 3


def test_after_a_rerun_of_lost_stores_the_next_slot_goes_on_from_there(desk: Desk) -> None:
    for number in range(3):
        desk.model.fill(f"g{number}", desk.time_ns(number))
        desk.take(number)
    desk.take(3)
    expected = history_items(desk.settings)
    with raw_redis(desk.settings) as client:
        for name in [item.name for item in SNAPSHOTS_BY_KIND.values()]:
            client.delete(f"status:tt:{name}", f"written:tt:{name}")
    forget_history(desk.settings)
    rerun(desk.stores, [FIRST_HOUR])
    result = desk.take(4)
    assert {item.caught_up for item in result.kinds.values()} == {1}
    assert history_items(desk.settings) == expected


def test_frames_are_everything_and_changes_what_is_new(desk: Desk) -> None:
    desk.take(0)
    desk.model.order("o2", 111.0, desk.time_ns(0))
    desk.take(1)
    desk.take(2)
    hour = hour_of_kind(desk, "orders", 0)
    assert [frame["record_key"].to_list() for frame in hour.frames()] == [
        ["o1"], ["o1", "o2"], ["o1", "o2"],
    ]  # fmt: skip
    assert [frame["record_key"].to_list() for frame in hour.history_frames()] == [["o1"], ["o2"]]
    assert [item.slot for item in hour.slots()] == [slot_of(number) for number in range(3)]
    last = hour.newest_set()
    assert last is not None
    assert last.file_key == desk.documents.key("orders", slot_of(2))
    assert_frame_equal(last.records, list(hour.frames())[-1])
    assert dict(last.records.schema) == ORDERS.record_schema


def test_the_first_changes_of_an_hour_are_against_the_hour_before(desk: Desk) -> None:
    for number in range(3):
        desk.take(number)
    desk.model.order("o2", 111.0, desk.time_ns(2))
    desk.take(3)
    desk.take(4)
    (changes,) = hour_of_kind(desk, "orders", 3).history_frames()
    assert changes["record_key"].to_list() == ["o2"]


def test_an_empty_picture_is_one_and_an_hour_without_documents_has_none(desk: Desk) -> None:
    desk.model.orders.clear()
    desk.take(0)
    last = hour_of_kind(desk, "orders", 0).newest_set()
    assert last is not None
    assert last.records.is_empty()
    nothing = hour_of_kind(desk, "orders", -500)
    assert nothing.newest_set() is None
    assert list(nothing.history_frames()) == []
    nothing.account()


def test_figures_tell_complete_and_incomplete_hours(desk: Desk) -> None:
    for number in (0, 2):
        desk.take(number)
    figures = hour_of_kind(desk, "orders", 0, now=4).look()
    assert (figures.files, figures.rows_stored, figures.rows_rejected) == (2, 2, 0)
    assert figures.slots_due == 120
    # 15:00:00 to 15:58:00 and the one between.
    assert len(figures.missing) == 118
    assert slot_of(1) in figures.missing
    assert slot_of(0) not in figures.missing
    assert figures.last_file == desk.documents.key("orders", slot_of(2))
    assert figures.size > 0
    assert figures.sample is not None


def test_an_hour_that_is_not_over_misses_only_what_is_due(desk: Desk) -> None:
    start = 3  # 16:00:00
    for number in range(start, start + 4):
        desk.take(number)
    figures = hour_of_kind(desk, "orders", start, now=start + 4).figures
    assert (figures.slots_due, figures.missing) == (4, [])


def test_slots_that_were_not_due_are_not_missing(desk: Desk) -> None:
    closed = desk.settings.changed({"tt_maintenance": ["Fri 09:00-Fri 10:00"]})
    hour = hour_of_kind(replace(desk, stores=Stores(closed)), "orders", 0)
    figures = hour.figures
    assert (figures.slots_due, figures.missing) == (0, [])


def test_a_damaged_document_is_set_aside_and_a_repaired_one_taken_back(desk: Desk) -> None:
    for number in range(3):
        desk.take(number)
    key = desk.documents.key("orders", slot_of(1))
    good = desk.stores.objects.get(key).data
    desk.stores.objects.put(key, b"garbage")
    hour = rerun(desk.stores, [FIRST_HOUR])["orders"]
    assert (hour.figures.files, hour.figures.quarantined) == (3, 1)
    assert hour.figures.missing
    assert desk.stores.objects.get(f"quarantine/{key}").data == b"garbage"
    desk.stores.objects.put(key, good, "gzip")
    assert rerun(desk.stores, [FIRST_HOUR])["orders"].figures.quarantined == 0
    assert desk.stores.objects.head(f"quarantine/{key}") is None


def test_a_rerun_leaves_a_malformed_answer_in_quarantine_for_people(desk: Desk) -> None:
    body = b'{"fills": ['
    for number in range(6):
        desk.model.fill(f"g{number}", desk.time_ns(0, number))
    desk.api.faults["fills/page"] = lambda: MalformedAnswerError("no JSON", body)
    key = f"quarantine/{desk.take(0).kinds['fills'].key}.rest"
    assert desk.stores.objects.get(key).data == body
    rerun(desk.stores, [FIRST_HOUR])
    assert desk.stores.objects.get(key).data == body
    assert desk.stores.objects.head(f"{key}.error.json") is not None


def test_a_document_under_another_slots_key_is_damaged(desk: Desk) -> None:
    desk.take(0)
    data = desk.stores.objects.get(desk.documents.key("orders", slot_of(0))).data
    desk.stores.objects.put(desk.documents.key("orders", slot_of(1)), data)
    figures = hour_of_kind(desk, "orders", 0).look()
    assert (figures.files, figures.quarantined) == (2, 1)


def test_names_come_from_the_slots_own_instruments_or_the_newest_before(desk: Desk) -> None:
    desk.take(0)
    instruments = desk.documents.key("instruments", slot_of(0))
    desk.take(1)
    own = desk.documents.key("instruments", slot_of(1))
    desk.stores.objects.put(own, b"garbage")
    frames = list(hour_of_kind(desk, "orders", 0).frames())
    assert [frame["instrument"].to_list() for frame in frames] == [["ZNM5"], [None]]
    client = s3_client(desk.settings)
    client.delete_object(Bucket=desk.settings.bucket, Key=own)
    frames = list(hour_of_kind(desk, "orders", 0).frames())
    assert [frame["instrument"].to_list() for frame in frames] == [["ZNM5"], ["ZNM5"]]
    client.delete_object(Bucket=desk.settings.bucket, Key=instruments)
    frames = list(hour_of_kind(desk, "orders", 0).frames())
    assert [frame["instrument"].to_list() for frame in frames] == [[None], [None]]


def test_an_hour_is_read_in_parts_that_join_seamlessly(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3, 9):
        desk.model.order("o1", number / 64, desk.time_ns(number))
        desk.take(number)
    whole = [frame["price"].to_list() for frame in hour_of_kind(desk, "orders", 3).history_frames()]
    monkeypatch.setattr("trade_assets.tt.slots.slot_records.BATCH_DOCUMENTS", 2)
    parts = [frame["price"].to_list() for frame in hour_of_kind(desk, "orders", 3).history_frames()]
    assert parts == whole == [[number / 64] for number in range(3, 9)]


@pytest.mark.parametrize(("kept_hours", "copies"), [(0, 1), (1e6, 2)])
def test_where_history_expires_what_never_changes_is_said_once_an_hour(
    capture_settings: Settings, kept_hours: float, copies: int
) -> None:
    settings = capture_settings.changed({"local_history_hours": kept_hours})
    with Stores(settings) as stores:
        desk = new_desk(settings, stores)
        desk.model.order("o1", 110.5, desk.time_ns(-1))
        for number in range(6):
            assert desk.take(number).whole
        live_items = history_items(settings)
        orders = [item for item in live_items if item["pk"]["S"].startswith("tt#orders#")]
        assert len(orders) == copies
        forget_history(settings)
        rerun(stores, HOURS)
        assert sorted(map(str, history_items(settings))) == sorted(map(str, live_items))
