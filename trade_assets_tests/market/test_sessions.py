"""Open time against a count of minutes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.market.calendar import is_business_day
from trade_assets.market.sessions import LONGEST, open_seconds
from trade_assets.market.trading_days import CENTRAL, central_to_utc

MINUTE = timedelta(minutes=1)
HOUR_SECONDS = 3600.0


def central(text: str) -> datetime:
    """UTC time of a Central `2025-07-17 16:00`."""
    utc = central_to_utc(datetime.fromisoformat(text))
    assert utc is not None
    return utc


def is_open(utc: datetime) -> bool:
    """Whether the minute that begins then is one of a session, read off the Central clock."""
    local = utc.astimezone(CENTRAL)
    if local.hour == 16:
        return False
    day = local.date() + timedelta(days=local.hour >= 17)
    return is_business_day(day)


def counted_seconds(start: datetime, end: datetime) -> float:
    minutes = (end - start) // MINUTE
    return 60.0 * sum(is_open(start + MINUTE * number) for number in range(minutes))


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2025-07-17 10:00", "2025-07-17 10:30", 0.5),
        ("2025-07-17 15:30", "2025-07-17 17:30", 1),  # the daily break
        ("2025-07-17 16:00", "2025-07-17 17:00", 0),
        ("2025-07-17 16:10", "2025-07-17 16:50", 0),
        ("2025-07-17 16:00", "2025-07-18 16:00", 23),
        ("2025-07-18 16:00", "2025-07-20 17:00", 0),  # a weekend
        ("2025-07-18 12:00", "2025-07-21 12:00", 4 + 19),
        ("2025-07-19 12:00", "2025-07-19 13:00", 0),
        ("2025-07-18 16:00", "2025-07-21 16:00", 23),
        ("2025-07-03 16:00", "2025-07-06 17:00", 0),  # Independence Day, a Friday
        ("2025-07-03 18:00", "2025-07-04 10:00", 0),
        ("2025-07-03 15:00", "2025-07-07 09:00", 1 + 16),
        ("2025-12-24 15:00", "2025-12-25 18:00", 1 + 1),  # Christmas, a Thursday
        ("2025-03-07 12:00", "2025-03-10 12:00", 4 + 19),  # clocks change while closed
        ("2025-10-31 12:00", "2025-11-03 12:00", 4 + 19),
        ("2025-03-03 12:00", "2025-03-17 12:00", 10 * 23),
    ],
)
def test_open_time_by_the_desks_clock(start: str, end: str, hours: float) -> None:
    assert open_seconds(central(start), central(end)) == hours * HOUR_SECONDS


def test_fractions_count_and_the_zone_of_an_argument_does_not() -> None:
    start = datetime(2025, 7, 17, 20, 59, 59, 999_999, tzinfo=UTC)
    assert open_seconds(start, start + timedelta(hours=1)) == 1e-6
    end = start + timedelta(days=4, microseconds=7)
    assert open_seconds(start.astimezone(CENTRAL), end.astimezone(CENTRAL)) == open_seconds(
        start, end
    )


MINUTES = st.integers(0, 365 * 24 * 60).map(
    lambda number: datetime(2025, 1, 1, tzinfo=UTC) + MINUTE * number
)


@settings(max_examples=60)
@given(MINUTES, st.integers(0, 8 * 24 * 60))
def test_open_time_is_the_count_of_open_minutes(start: datetime, minutes: int) -> None:
    end = start + MINUTE * minutes
    assert open_seconds(start, end) == counted_seconds(start, end)


@pytest.mark.parametrize("change", ["2025-03-09 12:00", "2025-11-02 12:00"])
@settings(max_examples=30)
@given(before=st.integers(0, 3 * 24 * 60), after=st.integers(0, 3 * 24 * 60))
def test_open_time_is_the_count_of_open_minutes_where_clocks_change(
    change: str, before: int, after: int
) -> None:
    start, end = central(change) - MINUTE * before, central(change) + MINUTE * after
    assert open_seconds(start, end) == counted_seconds(start, end)


@given(MINUTES, MINUTES, MINUTES)
def test_open_times_of_parts_add_up(one: datetime, two: datetime, three: datetime) -> None:
    start, middle, end = sorted([one, two, three])
    parts = open_seconds(start, middle) + open_seconds(middle, end)
    assert open_seconds(start, end) == parts
    assert open_seconds(end, start) == 0 or start == end


def test_no_more_than_the_longest_time_is_looked_at() -> None:
    start = central("2025-07-17 10:00")
    assert open_seconds(start, start + LONGEST * 3) == open_seconds(start, start + LONGEST) > 0
