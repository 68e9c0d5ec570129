"""Business days and expiries against published dates, and against a plain count of days."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.market import calendar
from trade_assets.market.products import PRODUCTS

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
ONE = timedelta(days=1)

HOLIDAYS = {
    2020: ["01-01", "01-20", "02-17", "04-10", "05-25", "07-03", "09-07", "11-26", "12-25"],
    2021: ["01-01", "01-18", "02-15", "04-02", "05-31", "07-05", "09-06", "11-25", "12-24"],
    2022: [
        *("01-17", "02-21", "04-15", "05-30", "06-20"),
        *("07-04", "09-05", "11-24", "12-26"),
    ],
    2023: [
        *("01-02", "01-16", "02-20", "04-07", "05-29", "06-19"),
        *("07-04", "09-04", "11-23", "12-25"),
    ],
    2025: [
        *("01-01", "01-20", "02-17", "04-18", "05-26", "06-19"),
        *("07-04", "09-01", "11-27", "12-25"),
    ],
}


@pytest.mark.parametrize("year", HOLIDAYS)
def test_holidays(year: int) -> None:
    expected = {date.fromisoformat(f"{year}-{day}") for day in HOLIDAYS[year]}
    assert calendar.holidays(year) == expected


@pytest.mark.parametrize("day", ["2025-10-13", "2025-11-11", "2021-12-31", "2027-12-31"])
def test_columbus_veterans_and_the_eve_of_a_saturdays_new_year_are_business_days(day: str) -> None:
    assert calendar.is_business_day(date.fromisoformat(day))


def test_holidays_never_adjoin() -> None:
    """What moves for a holiday moves by one day, or over a weekend."""
    for year in range(2000, 2100):
        days = calendar.holidays(year) | calendar.holidays(year + 1)
        assert all(day + ONE not in days for day in days)


@given(DAYS)
def test_business_days_around_a_day(day: date) -> None:
    after, before = calendar.business_day_from(day), calendar.business_day_until(day)
    assert before <= day <= after
    assert calendar.is_business_day(before)
    assert calendar.is_business_day(after)
    between = [before + ONE * n for n in range(1, (after - before).days)]
    assert not any(calendar.is_business_day(item) for item in between)
    assert (before == after) == calendar.is_business_day(day)


@pytest.mark.parametrize(
    ("product", "year", "month", "day"),
    [
        ("ZN", 2025, 6, "2025-06-18"),
        ("ZB", 2025, 6, "2025-06-18"),
        ("ZN", 2025, 9, "2025-09-19"),
        ("ZB", 2025, 9, "2025-09-19"),
        ("ZF", 2025, 9, "2025-09-30"),
        ("ZT", 2025, 9, "2025-09-30"),
        ("ZT", 2025, 6, "2025-06-30"),
        ("ZN", 2025, 12, "2025-12-19"),
        ("ZN", 2024, 3, "2024-03-19"),
        ("TN", 2024, 3, "2024-03-19"),
        ("UB", 2024, 3, "2024-03-19"),
        ("ZF", 2024, 3, "2024-03-28"),
        ("FGBL", 2025, 3, "2025-03-06"),
        ("FGBL", 2025, 6, "2025-06-06"),
        ("FGBL", 2025, 9, "2025-09-08"),
        ("FGBL", 2023, 9, "2023-09-07"),
        ("FGBL", 2023, 12, "2023-12-07"),
        ("FGBL", 2024, 3, "2024-03-07"),
    ],
)
def test_last_trading_days(product: str, year: int, month: int, day: str) -> None:
    last = calendar.future_last_trade(PRODUCTS[product], year, month)
    assert last == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2025, 6, "2025-05-23"),
        (2025, 8, "2025-07-25"),
        (2025, 12, "2025-11-21"),
        (2026, 1, "2025-12-26"),
        (2024, 4, "2024-03-22"),
        (2021, 1, "2020-12-24"),  # Christmas is a Friday
        (2011, 5, "2011-04-21"),  # Good Friday
        (2022, 1, "2021-12-23"),  # Christmas is kept on Friday the 24th
        (2043, 4, "2043-03-26"),  # Good Friday, and the last business day is the Tuesday after
    ],
)
def test_monthly_options(year: int, month: int, day: str) -> None:
    assert calendar.month_option_expiry(year, month) == date.fromisoformat(day)


@given(st.integers(2000, 2098), st.integers(1, 12))
def test_a_monthly_option_leaves_two_business_days_in_its_month(year: int, month: int) -> None:
    friday = calendar.month_option_friday(year, month)
    start = date(year, month, 1)
    left = [friday + ONE * n for n in range(1, (start - friday).days)]
    assert friday.weekday() == 4
    # The last business day is one of those that are left, and two or more lie up to it.
    assert sum(calendar.is_business_day(day) for day in left) >= 2
    week_later = [day for day in left if day > friday + 7 * ONE]
    assert sum(calendar.is_business_day(day) for day in week_later) < 2
    assert calendar.is_month_option_friday(friday)
    assert not calendar.is_month_option_friday(friday - 7 * ONE)


@pytest.mark.parametrize(
    ("weekday", "week", "year", "month", "expiry"),
    [
        (0, 3, 2025, 7, "2025-07-21"),
        (2, 3, 2025, 5, "2025-05-21"),
        (4, 5, 2025, 5, "2025-05-30"),
        (0, 4, 2025, 5, "2025-05-27"),  # Memorial Day: the next business day
        (4, 1, 2025, 7, "2025-07-03"),  # Independence Day: the one before
        (3, 3, 2025, 6, "2025-06-18"),  # Juneteenth
        (1, 1, 2030, 1, "2029-12-31"),  # New Year: into another year
        (0, 5, 2027, 5, "2027-06-01"),  # Memorial Day: into another month
    ],
)
def test_weekly_options(weekday: int, week: int, year: int, month: int, expiry: str) -> None:
    day = calendar.weekly_day(weekday, week, year, month)
    assert day is not None
    assert calendar.weekly_expiry(day) == date.fromisoformat(expiry)


@given(DAYS)
def test_weeks_of_a_month(day: date) -> None:
    week = calendar.week_of_month(day)
    assert calendar.weekly_day(day.weekday(), week, day.year, day.month) == day


def test_a_month_without_a_fifth_weekday() -> None:
    assert calendar.weekly_day(2, 5, 2025, 5) is None
