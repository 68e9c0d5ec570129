"""The simulated times to expiry are written as the real ones."""

import re
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.vtexp_file import vtexp_file

LINE = re.compile(r"XCME\.ZN\.N\.G\.(?:[0-9]{2})?[A-Z]{3}[0-9]{2},[0-9]+\.[0-9]{6}")


def test_a_file_in_full() -> None:
    name, data = vtexp_file(datetime(2025, 7, 3, 13, 44, 59, 900_000, tzinfo=CENTRAL))
    assert name == "vtexp_20250703_134459.csv"
    assert data.decode().splitlines() == [
        "symbol,vtexp",
        "XCME.ZN.N.G.03JUL25,0.010417",  # 15 minutes, and the rest of one does not count
        "XCME.ZN.N.G.07JUL25,1.010417",  # neither a holiday nor a weekend does
        "XCME.ZN.N.G.08JUL25,2.010417",
        "XCME.ZN.N.G.09JUL25,3.010417",
        "XCME.ZN.N.G.10JUL25,4.010417",
        "XCME.ZN.N.G.11JUL25,5.010417",
        "XCME.ZN.N.G.14JUL25,6.010417",
        "XCME.ZN.N.G.15JUL25,7.010417",
        "XCME.ZN.N.G.16JUL25,8.010417",
        "XCME.ZN.N.G.17JUL25,9.010417",
    ]
    assert data.endswith(b"\n")


def test_symbols_are_those_of_the_days_to_come() -> None:
    """As a desk's file of that time has them: the next days with an expiry, one by its month."""
    name, data = vtexp_file(datetime(2025, 7, 21, 14, 58, 12, tzinfo=CENTRAL))
    header, *lines = data.decode().splitlines()
    days = ("22JUL25", "23JUL25", "24JUL25", "AUG25", "28JUL25", "29JUL25", "30JUL25")
    assert (name, header) == ("vtexp_20250721_145812.csv", "symbol,vtexp")
    assert [line.split(",")[0] for line in lines[:7]] == [f"XCME.ZN.N.G.{day}" for day in days]
    assert all(LINE.fullmatch(line) for line in lines)


@settings(max_examples=20)
@given(
    st.datetimes(datetime(2015, 1, 1), datetime(2045, 1, 1), timezones=st.just(CENTRAL)).filter(
        lambda at: at.hour != 2  # clocks may jump over it
    )
)
def test_any_file_parses_whole(at: datetime) -> None:
    name, data = vtexp_file(at)
    parsed = VTEXP.parse(data, name)
    assert parsed.rejected == ()
    assert parsed.frame.height == 10
    assert parsed.frame["instrument_id"].null_count() == 0
    assert parsed.frame["days_to_expiry"].is_sorted()
    assert (parsed.frame["days_to_expiry"] >= 0).all()
