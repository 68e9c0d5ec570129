"""US Central to UTC, vectorised and one at a time, against `zoneinfo`."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trade_assets.market.trading_days import (
    CENTRAL,
    business_days,
    central_to_utc,
    local_to_utc,
    read_local_times,
    stamp_to_utc,
    trading_date,
    trading_dates,
    trading_day_starts,
)

LOCAL = st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31))


@given(st.lists(LOCAL, min_size=1, max_size=10))
@example([datetime(2025, 3, 9, 2, 30), datetime(2025, 11, 2, 1, 30)])
@example([datetime(2040, 3, 11, 2, 30), datetime(2040, 7, 1), datetime(2090, 7, 1)])
def test_columns_are_converted_as_each_time_alone(locals_: list[datetime]) -> None:
    texts = pl.Series([f"{local:%Y-%m-%d %H:%M:%S.%f}" for local in locals_])
    read = read_local_times(texts)
    assert read.to_list() == locals_
    assert local_to_utc(read).to_list() == [central_to_utc(local) for local in locals_]
    assert trading_dates(read).to_list() == [trading_date(local) for local in locals_]


@given(LOCAL)
def test_a_time_that_exists_survives_the_round_trip(local: datetime) -> None:
    utc = central_to_utc(local)
    if utc is not None:
        assert utc.astimezone(CENTRAL).replace(tzinfo=None) == local


def test_stamps_of_file_names() -> None:
    assert stamp_to_utc("20250717143331") == datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)
    assert stamp_to_utc("20250309023000") is None
    assert stamp_to_utc("99990101000000") is None


def test_trading_day_rolls_at_seventeen() -> None:
    assert trading_date(datetime(2025, 7, 17, 16, 59, 59, 999_999)) == date(2025, 7, 17)
    assert trading_date(datetime(2025, 7, 17, 17)) == date(2025, 7, 18)


@pytest.mark.parametrize(
    ("local", "day"),
    [
        (datetime(2025, 7, 18, 16, 59, 59), date(2025, 7, 18)),
        (datetime(2025, 7, 18, 17), date(2025, 7, 21)),
        (datetime(2025, 7, 19), date(2025, 7, 21)),
        (datetime(2025, 7, 20, 18), date(2025, 7, 21)),
        (datetime(2025, 7, 3, 17), date(2025, 7, 7)),  # over Independence Day and a weekend
        (datetime(2025, 5, 26, 9), date(2025, 5, 27)),
        (datetime(2025, 11, 11, 9), date(2025, 11, 11)),  # Veterans day
        (datetime(1970, 1, 1), date(1970, 1, 2)),
        (datetime(2099, 12, 31, 17), date(2100, 1, 4)),
    ],
)
def test_trading_days_are_business_days(local: datetime, day: date) -> None:
    assert trading_date(local) == day
    assert trading_dates(pl.Series([local, None])).to_list() == [day, None]


def test_no_times_have_no_trading_days() -> None:
    assert trading_dates(pl.Series([None], dtype=pl.Datetime("us"))).to_list() == [None]
    assert trading_dates(pl.Series([], dtype=pl.Datetime("us"))).dtype == pl.Date


@given(st.dates(date(1970, 2, 1), date(2099, 11, 30)))
def test_a_trading_day_starts_when_the_one_before_is_over(day: date) -> None:
    (day,) = business_days(pl.Series([day]))
    (start,) = trading_day_starts(pl.Series([day])).dt.convert_time_zone("America/Chicago")
    local = start.replace(tzinfo=None)
    assert local.hour == 17
    assert local.date() < day
    assert trading_date(local) == day
    assert trading_date(local - timedelta(microseconds=1)) < day
