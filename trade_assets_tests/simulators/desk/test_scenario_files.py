"""The simulated PnL grid and end-of-day file are written as the real ones, and their figures hold
together."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets.simulators.desk.eod_file import eod_file
from trade_assets.simulators.desk.pnl_grid_file import pnl_grid_file
from trade_assets.simulators.desk.simulated_market import future_mid
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.samples.made_files import SAMPLES

AT = datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)
CLOSE = datetime(2025, 7, 17, 21, tzinfo=UTC)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))
GRID_LINE = re.compile(r"(?:XCME\.ZN|(?:[0-9]{2})?[A-Z]{3}[0-9]{2}),ab_\w+,[0-9]{2,3}\.[0-9]{3}")
CELL = re.compile(r"-?[0-9]+\.[0-9]{5}")


def grid(at: datetime = AT) -> pl.DataFrame:
    name, data = pnl_grid_file(7, at)
    parsed = PNL_GRID.parse(data, name)
    assert parsed.rejected == ()
    return parsed.frame


def values(frame: pl.DataFrame, scope: str, metric: str) -> NDArray[np.float64]:
    return frame.filter(pl.col("scope") == scope, pl.col("metric") == metric)["value"].to_numpy()


def test_a_grid_has_the_layout_of_the_real_one() -> None:
    name, data = pnl_grid_file(7, AT)
    header, *lines = data.decode().splitlines()
    assert name == "GE_XCME.ZN_20250717_143331.csv"
    assert header.startswith("Expiration,Value,UPrice,-3,-2.75,-2.5,-2.25,-2,")
    assert header.endswith(",-0.25,0,0.25,0.5,0.75,1,1.25,1.5,1.75,2,2.25,2.5,2.75,3")
    for line in lines:
        start, cells = ",".join(line.split(",")[:3]), line.split(",")[3:]
        assert GRID_LINE.fullmatch(start)
        assert len(cells) == 25
        assert all(CELL.fullmatch(cell) for cell in cells)
    assert 43_000 < len(data) < 47_000


def hand_made_and_real(hand_made: str, pattern: str) -> list[Path]:
    """A file that was written by hand, and a desk's real ones."""
    return [SAMPLES / "actant" / hand_made, *sorted((reference.DATA / "actant").glob(pattern))]


GRIDS = hand_made_and_real("GE_XCME.ZN_20250718_101600.csv", "GE_*.csv")


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
def test_a_grid_begins_as_a_desks_one(path: Path) -> None:
    desks = path.read_text().splitlines()
    ours = pnl_grid_file(7, AT)[1].decode().splitlines()
    assert ours[0] == desks[0]
    metrics = [[line.split(",")[1] for line in lines[1:]] for lines in (ours, desks)]
    assert set(metrics[1]) <= set(metrics[0])
    for line in [*ours[1:], *desks[1:]]:
        assert all(CELL.fullmatch(cell) for cell in line.split(",")[3:])


def test_the_figures_of_a_grid_are_those_of_a_straddle() -> None:
    frame, future = grid(), future_mid(7, AT)
    for scope in frame["scope"].unique():
        call, put = values(frame, scope, "ab_sCall"), values(frame, scope, "ab_sPut")
        shocked, strike = values(frame, scope, "ab_F"), values(frame, scope, "ab_K")
        assert call - put == pytest.approx((shocked - strike) * 1_000, abs=1e-2)
        assert shocked[12] == pytest.approx(future, abs=1e-5)
        assert (call[1:] > call[:-1] - 1e-5).all()
        delta = values(frame, scope, "ab_sDeltaPathCallPct")
        assert abs(delta[12] - 0.5) < 0.3
        assert delta[[0, -1]] == pytest.approx([0, 1], abs=0.05)
        assert (values(frame, scope, "ab_Theta") >= 0).all()
    years = [
        values(frame, scope, "ab_T")[0] for scope in frame["scope"].unique(maintain_order=True)
    ]
    assert years[0] == years[1]  # the underlying shows its nearest expiry
    assert years[1:] == sorted(set(years[1:]))


@settings(max_examples=15)
@given(st.integers(0, 2**40), TIMES)
def test_any_grid_parses_whole(seed: int, at: datetime) -> None:
    name, data = pnl_grid_file(seed, at)
    parsed = PNL_GRID.parse(data, name)
    assert parsed.rejected == ()
    assert parsed.frame["instrument_id"].null_count() == 0
    assert parsed.frame["value"].null_count() == 0


def test_an_eod_file_has_the_layout_of_the_real_one() -> None:
    name, data = eod_file(7, CLOSE)
    text = data.decode()
    assert name == "GE_XCME.ZN_20250717_160000.json"
    assert text.splitlines()[:7] == [
        "{",
        '    "totals": [',
        "        {",
        '            "header": "XCME.ZN",',
        '            "points": [',
        "                {",
        '                    "header": "-10%",',
    ]
    assert text.endswith("                }\n            ]\n        }\n    ]\n}\n")
    assert 1_500_000 < len(data) < 1_700_000
    totals = json.loads(data)["totals"]
    assert [total["header"] for total in totals][:4] == [
        "XCME.ZN",
        "w/o first",
        "18JUL25",
        "21JUL25",
    ]
    assert "AUG25" in [total["header"] for total in totals]


def test_the_points_of_an_eod_file_have_some_fifty_metrics_and_not_all_of_them_always() -> None:
    totals = json.loads(eod_file(7, CLOSE)[1])["totals"]
    points = [point for total in totals for point in total["points"]]
    shocks = [point["header"] for point in totals[0]["points"]]
    assert {"-10%", "-5%", "10%", "0%", "0", "-0.25", "-3", "3"} < set(shocks)
    assert len(set(shocks)) == len(shocks)
    metrics = {name for point in points for name in point["values"]}
    assert len(metrics) == 50
    assert {len(point["values"]) for point in points} > {44, 45, 46, 47}
    texts = [text for point in points for text in point["values"].values()]
    assert all(re.fullmatch(r"-?[0-9]+\.[0-9]{2}", text) for text in texts)
    assert all(list(point["values"]) == sorted(point["values"]) for point in points)


EODS = hand_made_and_real("GE_XCME.ZN_20250718_101600.json", "GE_*.json")


@pytest.mark.parametrize("path", EODS, ids=lambda path: path.name)
def test_an_eod_file_has_the_metrics_of_a_desks_one(path: Path) -> None:
    desks = json.loads(path.read_text())["totals"]
    ours = json.loads(eod_file(7, CLOSE)[1])["totals"][0]
    metrics = [
        {name for point in total["points"] for name in point["values"]}
        for total in (ours, desks[0])
    ]
    assert metrics[1] <= metrics[0]
    assert json.dumps({"totals": desks}, indent=4) == path.read_text().rstrip("\n")


def test_the_figures_of_an_eod_file_add_up() -> None:
    name, data = eod_file(7, CLOSE)
    frame = EOD.parse(data, name).frame
    for metric in ("Vega", "Gamma", "OEV", "Epsilon"):
        total, rest, *expiries = (
            values(frame, scope, metric) for scope in frame["scope"].unique(maintain_order=True)
        )
        assert total == pytest.approx(sum(expiries), abs=0.1)
        assert rest == pytest.approx(total - expiries[0], abs=0.1)
    at_rest = frame.filter(pl.col("shock") == 0.0, pl.col("metric") == "Th PnL")["value"]
    assert set(at_rest) == {0.0}


@settings(max_examples=10)
@given(st.integers(0, 2**40), TIMES)
def test_any_eod_file_parses_whole(seed: int, at: datetime) -> None:
    name, data = eod_file(seed, at, expiries=2)
    parsed = EOD.parse(data, name)
    assert parsed.rejected == ()
    assert parsed.unknown_columns == ()
    assert parsed.frame["instrument_id"].null_count() == 0
    assert set(parsed.frame["shock_kind"]) == {"relative", "absolute"}


def test_same_seed_same_bytes() -> None:
    assert pnl_grid_file(7, AT) == pnl_grid_file(7, AT + timedelta(milliseconds=400))
    assert pnl_grid_file(7, AT) != pnl_grid_file(8, AT)
    eod_file.cache_clear()
    first = eod_file(7, CLOSE, 2)
    eod_file.cache_clear()
    assert eod_file(7, CLOSE, 2) == first
    assert eod_file(8, CLOSE, 2) != first
