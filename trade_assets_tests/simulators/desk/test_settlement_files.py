"""The simulated settlement files are written as the real ones."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import ParsedFile
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.market.trading_days import CENTRAL
from trade_assets.simulators.desk.settlement_files import (
    futures_settlement_file,
    options_settlement_file,
)
from trade_assets.simulators.desk.simulated_market import DESK_CODES, future_price
from trade_assets_tests.feeds.formats import reference

CLOSE = datetime(2025, 7, 17, 16, tzinfo=CENTRAL)
CLOSES = st.integers(0, 9_000).map(
    lambda days: datetime(2015, 1, 2, 16, tzinfo=CENTRAL) + timedelta(days=days)
)
BLOOMBERG = ("TU", "FV", "TY", "US", "RX")
PRICE = re.compile(r"0\.0|0\.007|[0-9]+\.[0-9]{1,6}|#N/A Field Not Applicable")


def parsed_whole(feed: Feed, file: tuple[str, bytes]) -> ParsedFile:
    name, data = file
    parsed = feed.parse(data, name)
    assert all(row.duplicate for row in parsed.rejected)
    return parsed


@settings(max_examples=15)
@given(st.integers(0, 2**40), CLOSES)
def test_futures_settle_at_their_prices(seed: int, close: datetime) -> None:
    frame = parsed_whole(FUTURES_SETTLEMENT, futures_settlement_file(seed, close)).frame
    assert tuple(frame["record_key"]) == BLOOMBERG
    expected = [float(future_price(seed, code, close)) for code in DESK_CODES]
    assert frame["settlement_price"].to_list() == frame["last_price"].to_list() == expected


def test_thirty_seconds_have_lost_the_zeros_at_their_end() -> None:
    lines = [
        line
        for days in range(100)
        for line in futures_settlement_file(7, CLOSE + timedelta(days=days))[1].decode().split()
    ]
    cells = {line.split(",")[1] for line in lines if line.startswith("TY")}
    assert any(re.fullmatch(r"[0-9]+\.[123]", cell) for cell in cells)
    assert any(re.fullmatch(r"[0-9]+\.0[1-9]", cell) for cell in cells)
    assert any(re.fullmatch(r"[0-9]+\.[0-3][0-9]5", cell) for cell in cells)
    assert not any(cell.endswith("0") and not cell.endswith(".0") for cell in cells)


@pytest.mark.parametrize(
    ("kind", "writer"), [("Futures", futures_settlement_file), ("Options", options_settlement_file)]
)
def test_layouts_are_those_of_a_desks_files(
    kind: str, writer: Callable[[int, datetime], tuple[str, bytes]]
) -> None:
    name, data = writer(7, CLOSE)
    ours = data.decode().splitlines()
    assert name == f"{kind}_20250717_1600.csv"
    for path in reference.desk_files("settlement", f"{kind}_*.csv"):
        desks = path.read_text().splitlines()
        assert ours[0] == desks[0]
        assert {line.count(",") for line in ours} == {line.count(",") for line in desks}
        for line in [*ours[1:], *desks[1:]]:
            assert all(PRICE.fullmatch(text) for text in line.split(",")[1:3])


def test_options_of_a_real_day_have_their_real_names_and_dates() -> None:
    text = options_settlement_file(7, CLOSE)[1].decode()
    for line in ("TYWN25C3 ", "TJWN25P3 ", "3MN5C ", "VBYN25P3 ", "TJPN25C4 ", "TYQ5C "):
        assert f"\n{line}" in text
    assert re.search(r"\nTYQ5P 1[0-9]{2}\.[0-9]{3} Comdty,[^,]*,[^,]*,7/25/2025,OTM,,\n", text)
    assert "\nTYWN25C5 " in text  # 7/30
    assert ",8/1/2025," not in text.split("TYQ5C")[0]
    assert 15_000 < len(text) < 19_000


@settings(max_examples=12)
@given(st.integers(0, 2**40), CLOSES)
def test_any_options_file_parses_but_for_the_strikes_at_the_money(
    seed: int, close: datetime
) -> None:
    parsed = parsed_whole(OPTIONS_SETTLEMENT, options_settlement_file(seed, close))
    frame = parsed.frame
    assert frame["instrument_id"].null_count() == 0
    series = frame["instrument_id"].str.split("-").list.first().n_unique()
    assert len(parsed.rejected) == 2 * series
    moneyness = {line.text.split(",")[4] for line in parsed.rejected}
    assert moneyness == {"OTM"}
    prices = frame["settlement_price"].drop_nulls()
    assert (((prices * 64) % 1 == 0) | (prices == 0.007)).all()
    overdue = frame.filter(frame["expiry"] < close.date())
    assert overdue["last_price"].null_count() == overdue.height == 26
    assert 0 < overdue["settlement_price"].null_count() < 26
    listed = frame.filter(frame["expiry"] >= close.date())
    assert listed["settlement_price"].null_count() == 0


def test_settlement_prices_are_those_of_options() -> None:
    frame = parsed_whole(OPTIONS_SETTLEMENT, options_settlement_file(7, CLOSE)).frame
    future = float(future_price(7, "ZN", CLOSE))
    listed = frame.filter(pl.col("expiry") > date(2025, 7, 17))
    sign = pl.when(pl.col("put_call") == "C").then(1.0).otherwise(-1.0)
    inner = (sign * (future - pl.col("strike_price"))).clip(0)
    assert listed.select((pl.col("settlement_price") >= inner - 0.02).all()).item()
    missing = listed["last_price"].null_count()
    assert 0 < missing < listed.height / 5


def test_same_seed_same_bytes() -> None:
    assert options_settlement_file(7, CLOSE) == options_settlement_file(7, CLOSE)
    assert options_settlement_file(7, CLOSE) != options_settlement_file(8, CLOSE)
