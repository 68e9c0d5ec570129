"""Slots as arithmetic, and the grammar of keys."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.keys import partition_hour
from trade_assets.errors import UnknownFeedError
from trade_assets.tt.datasets import SNAPSHOTS, SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.half_minutes import (
    first_slot_from,
    hour_slots,
    next_slot,
    slot_at,
    slots_between,
)
from trade_assets.tt.formats.snapshot import SLOT
from trade_assets.tt.formats.snapshot_keys import (
    parse_snapshot_key,
    snapshot_hour_prefix,
    snapshot_key,
    snapshot_prefix,
)

MOMENTS = st.datetimes(
    datetime(1971, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.integers(-720, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
SLOTS = MOMENTS.map(slot_at)
START = datetime(2025, 5, 15, 17, 2, 30, tzinfo=UTC)


@given(MOMENTS)
def test_slots_around_a_moment(moment):
    slot = slot_at(moment)
    assert slot.utcoffset() == timedelta(0)
    assert slot.timestamp() % 30 == 0
    assert slot <= moment < next_slot(moment) == slot + SLOT
    assert next_slot(slot) == slot + SLOT
    assert slot_at(slot) == slot == first_slot_from(slot)
    assert first_slot_from(moment) == (slot if slot == moment else next_slot(moment))


def test_slots_between_are_of_both_ends():
    assert list(slots_between(START, START)) == [START]
    assert list(slots_between(START, START + 2 * SLOT)) == [START, START + SLOT, START + 2 * SLOT]
    second = timedelta(seconds=1)
    assert list(slots_between(START + second, START + 2 * SLOT - second)) == [START + SLOT]
    assert list(slots_between(START, START - second)) == []


@given(MOMENTS)
def test_slots_of_an_hour(moment):
    slots = hour_slots(moment)
    assert len(slots) == len(set(slots)) == 120
    assert slot_at(moment) in slots
    assert {slot.strftime("%Y%m%d%H") for slot in slots} == {
        moment.astimezone(UTC).strftime("%Y%m%d%H")
    }


def test_a_key():
    local = START.astimezone(timezone(timedelta(hours=-5)))
    assert (
        snapshot_key("ext_prod_sim", "fills", local)
        == "snapshots/tt/ext_prod_sim/fills/dt=2025-05-15/hh=17/20250515T170230Z.json"
    )


@given(
    st.sampled_from(sorted(SNAPSHOTS_BY_KIND)),
    SLOTS,
    st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1),
)
def test_keys_come_apart_as_they_were_put_together(kind, slot, environment):
    found = parse_snapshot_key(snapshot_key(environment, kind, slot))
    assert (found.environment, found.snapshot.kind, found.slot) == (environment, kind, slot)
    assert found.key.startswith(snapshot_hour_prefix(environment, kind, slot))
    assert found.key.startswith(snapshot_prefix(environment, kind))
    assert slot in hour_slots(partition_hour(found.partition))


@given(SLOTS, SLOTS)
def test_keys_sort_as_their_slots(one, other):
    keys = [snapshot_key("live", "orders", slot) for slot in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)


GOOD = "snapshots/tt/live/orders/dt=2025-07-17/hh=19/20250717T190030Z.json"


@pytest.mark.parametrize(
    "key",
    [
        "",
        GOOD.replace("orders", "tt_fills"),
        GOOD.replace("orders", "prices"),
        GOOD.replace("/tt/", "/other/"),
        GOOD.replace("live/", ""),
        GOOD.replace("hh=19", "hh=18"),
        GOOD.replace("dt=2025-07-17", "dt=2025-07-18"),
        GOOD.replace("hh=19", "hh=\uff11\uff19"),
        GOOD.replace("190030", "190031"),
        GOOD.replace("20250717T", "20250732T"),
        GOOD.replace("20250717T190030", "\u0662\u0660250717T190030"),
        GOOD.replace(".json", ".json.gz"),
        GOOD + "\n",
        f"quarantine/{GOOD}",
        "feeds/tt/fills/dt=2025-07-17/hh=19/trades_20250717.csv",
    ],
)
def test_other_keys_are_nobodys(key):
    assert parse_snapshot_key(GOOD).snapshot is SNAPSHOTS["tt/orders"]
    with pytest.raises(UnknownFeedError):
        parse_snapshot_key(key)


def test_the_registry():
    assert list(SNAPSHOTS) == ["tt/orders", "tt/tt_fills", "tt/positions", "tt/instruments"]
    assert [item.kind for item in SNAPSHOTS.values()] == [
        "orders",
        "fills",
        "positions",
        "instruments",
    ]
    assert [item.name for item in SNAPSHOTS.values() if item.replaced] == ["orders", "positions"]


def test_no_own_column_hides_one_that_stores_add():
    reserved = {"pk", "sk", "expires_at"}
    for item in SNAPSHOTS.values():
        common = len(item.record_schema) - len(item.schema) - 1
        assert not item.schema.keys() & {*list(item.record_schema)[:common], *reserved, "extra"}
