"""Slots: the :00 and :30 of every UTC minute, as arithmetic. No clock and no market hours.

All arguments are aware times of any zone, all results are UTC.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

SLOT: Final = timedelta(seconds=30)
"""From a slot to the next; slots are the :00 and :30 of every UTC minute."""

SLOT_FORMAT: Final = "%Y%m%dT%H%M%SZ"
"""How keys and run keys write a slot."""

SLOTS_AN_HOUR: Final = timedelta(hours=1) // SLOT

_HALF: Final = SLOT.seconds


def slot_at(now: datetime) -> datetime:
    """The newest slot that is not after `now`."""
    utc = now.astimezone(UTC)
    return utc.replace(second=utc.second - utc.second % _HALF, microsecond=0)


def next_slot(now: datetime) -> datetime:
    """The first slot strictly after `now`."""
    return slot_at(now) + SLOT


def slots_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """The slots from `first` to `last`, both included, in order."""
    slot = first_slot_from(first)
    while slot <= last:
        yield slot
        slot += SLOT


def first_slot_from(moment: datetime) -> datetime:
    """The first slot that is not before `moment`."""
    slot = slot_at(moment)
    return slot if slot == moment else slot + SLOT


def hour_slots(hour: datetime) -> tuple[datetime, ...]:
    """All slots of the UTC hour in which `hour` lies."""
    start = hour.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return tuple(start + number * SLOT for number in range(SLOTS_AN_HOUR))


def hour_of(slot: datetime) -> datetime:
    """The start of the UTC hour of a slot."""
    return slot.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def slot_text(slot: datetime) -> str:
    """A slot as keys write it: `20250717T193030Z`."""
    return slot.astimezone(UTC).strftime(SLOT_FORMAT)


def slot_of_text(text: str) -> datetime:
    """The slot of an ISO time with a zone, e.g. `20261121T100030Z` or `2026-11-21T10:00:30Z`.

    Raises:
        ValueError: it is none, or no half minute.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment != slot_at(moment):
        raise ValueError(f"{text!r} is no :00 or :30 of a minute with a zone")
    return moment.astimezone(UTC)
