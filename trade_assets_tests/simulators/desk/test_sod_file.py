"""The simulated start-of-day file is written as the real ones, and agrees with the other files."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.market.trading_days import business_days
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.simulated_market import day_start, trading_day
from trade_assets.simulators.desk.sod_file import start_of_day_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.samples import hand_made

US_DAY, ISO_DAY = date(2025, 7, 17), date(2025, 7, 18)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


def start_of_day(day: date, seed: int = 7, rows: int = 80) -> tuple[list[str], pl.DataFrame]:
    name, data = start_of_day_file(seed, day_start(day), rows)
    parsed = SOD.parse(data, name)
    assert parsed.rejected == ()
    return data.decode().splitlines(), parsed.frame


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (US_DAY, "ACCT1,ZN,ZN,07/17/2025,FUTURE,L,,,1000.0,09/19/2025,1000.0,", ","),
        (ISO_DAY, "ACCT1,ZN,ZN,2025-07-18,FUTURE,L,,11", ",N"),
    ],
)
def test_the_future_comes_first_in_the_manner_of_its_day(day: date, start: str, end: str) -> None:
    lines, _ = start_of_day(day)
    assert lines[1].startswith(start)
    assert lines[1].endswith(end)
    assert all(line.count(",") == 12 for line in lines)


def test_the_two_manners_differ_in_all_that_the_real_ones_do() -> None:
    us, iso = "\n".join(start_of_day(US_DAY)[0]), "\n".join(start_of_day(ISO_DAY)[0])
    assert ",S,,,-500.0,09/30/2025,1000.0,1" in us
    assert "'" in us
    assert "'" not in iso
    assert ",500,2025-09-30,1000,1" in iso
    assert ",-" not in iso
    assert ",,0" in us  # an option without a lot size


def test_the_header_is_that_of_a_desks_files() -> None:
    ours = start_of_day(US_DAY)[0][0]
    patterns = ("*SOD*.csv", "*_sod_*.csv", "actant.csv")
    paths = [path for pattern in patterns for path in reference.desk_files("actant", pattern)]
    assert {path.read_text().splitlines()[0] for path in paths} == {ours}
    assert ours == hand_made.SOD_HEADER


@settings(max_examples=15)
@given(st.integers(0, 2**40), TIMES, st.sampled_from([4, 80, 400]))
def test_any_file_parses_whole(seed: int, at: datetime, rows: int) -> None:
    day = trading_day(at)
    frame = start_of_day(day, seed, rows)[1]
    assert set(frame["trading_date"]) == set(business_days(pl.Series([day])))
    assert frame["instrument_id"].null_count() == 0
    shorts = frame.filter(pl.col("quantity") < 0)["instrument_id"]
    assert shorts.str.starts_with("ZB").any()


@pytest.mark.parametrize("day", [US_DAY, ISO_DAY, date(2026, 11, 21)])
def test_positions_are_those_of_the_spot_risk_file_and_of_the_ledger(day: date) -> None:
    at = day_start(day) + timedelta(hours=12)
    frame = start_of_day(day, rows=100)[1]
    name, data = spot_risk_file(7, at, rows=100)
    risk = SPOT_RISK.parse(data, name).frame
    held = risk.filter(pl.col("start_of_day_quantity") != 0, pl.col("instrument_type") != "N")
    of_zn = frame.filter(pl.col("product") == "ZN")
    assert dict(held.select("instrument_id", "start_of_day_quantity").iter_rows()) == dict(
        of_zn.select("instrument_id", "quantity").iter_rows()
    )
    name, data = ledger_file(7, at)
    opening = FILLS.parse(data, name).frame.filter(pl.col("kind") == "start_of_day")
    columns = ("instrument_id", "quantity", "price", "trading_date")
    if day.weekday() < 5:  # of a weekend's ledger the trading date is the next Monday
        assert opening.select(columns).rows() == of_zn.select(columns).head(1).rows()
