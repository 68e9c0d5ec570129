"""US Central to UTC, vectorised and one at a time, against `zoneinfo`."""

from datetime import UTC, date, datetime

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from trade_assets.feeds.base import EVENT_TIME_TYPE
from trade_assets.feeds.times import (
    CENTRAL,
    central_to_utc,
    local_to_utc,
    read_local_times,
    repeated,
    stamp_to_utc,
    trading_date,
    trading_dates,
)

LOCAL = st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31))


@given(st.lists(LOCAL, min_size=1, max_size=10))
@example([datetime(2025, 3, 9, 2, 30), datetime(2025, 11, 2, 1, 30)])
@example([datetime(2040, 3, 11, 2, 30), datetime(2040, 7, 1), datetime(2090, 7, 1)])
def test_columns_are_converted_as_each_time_alone(locals_):
    texts = pl.Series([f"{local:%Y-%m-%d %H:%M:%S.%f}" for local in locals_])
    read = read_local_times(texts)
    assert read.to_list() == locals_
    assert local_to_utc(read).to_list() == [central_to_utc(local) for local in locals_]
    assert trading_dates(read).to_list() == [trading_date(local) for local in locals_]


@given(LOCAL)
def test_a_time_that_exists_survives_the_round_trip(local):
    utc = central_to_utc(local)
    if utc is not None:
        assert utc.astimezone(CENTRAL).replace(tzinfo=None) == local


def test_stamps_of_file_names():
    assert stamp_to_utc("20250717143331") == datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)
    assert stamp_to_utc("20250309023000") is None
    assert stamp_to_utc("99990101000000") is None


def test_trading_day_rolls_at_seventeen():
    assert trading_date(datetime(2025, 7, 17, 16, 59, 59, 999_999)) == date(2025, 7, 17)
    assert trading_date(datetime(2025, 7, 17, 17)) == date(2025, 7, 18)


def test_repeated_keeps_microseconds():
    at = datetime(2025, 7, 17, 1, 2, 3, 4, tzinfo=UTC)
    column = repeated("t", at, 2)
    assert (column.dtype, column.to_list()) == (EVENT_TIME_TYPE, [at, at])
    assert repeated("t", at, 0).len() == 0
