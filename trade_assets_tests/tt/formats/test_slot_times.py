"""Slots as arithmetic."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from trade_assets.tt.formats.slot_times import (
    SLOT,
    first_slot_from,
    hour_slots,
    next_slot,
    slot_at,
    slots_between,
)

MOMENTS = st.datetimes(
    datetime(1971, 1, 1),
    datetime(2200, 1, 1),
    timezones=st.integers(-720, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
START = datetime(2025, 5, 15, 17, 2, 30, tzinfo=UTC)


@given(MOMENTS)
def test_slots_around_a_moment(moment: datetime) -> None:
    slot = slot_at(moment)
    assert slot.utcoffset() == timedelta(0)
    assert slot.timestamp() % 30 == 0
    assert slot <= moment < next_slot(moment) == slot + SLOT
    assert next_slot(slot) == slot + SLOT
    assert slot_at(slot) == slot == first_slot_from(slot)
    assert first_slot_from(moment) == (slot if slot == moment else next_slot(moment))


def test_slots_between_are_of_both_ends() -> None:
    assert list(slots_between(START, START)) == [START]
    assert list(slots_between(START, START + 2 * SLOT)) == [START, START + SLOT, START + 2 * SLOT]
    second = timedelta(seconds=1)
    assert list(slots_between(START + second, START + 2 * SLOT - second)) == [START + SLOT]
    assert list(slots_between(START, START - second)) == []


@given(MOMENTS)
def test_slots_of_an_hour(moment: datetime) -> None:
    slots = hour_slots(moment)
    assert len(slots) == len(set(slots)) == 120
    assert slot_at(moment) in slots
    assert {slot.strftime("%Y%m%d%H") for slot in slots} == {
        moment.astimezone(UTC).strftime("%Y%m%d%H")
    }
