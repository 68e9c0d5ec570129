"""PnL grids and end-of-day files, every value of whole files against the plain reader."""

import re
from pathlib import Path

import polars as pl
import pytest

from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets_tests.feeds.formats import reference, reference_scenarios

GRIDS = reference.desk_files("actant", "GE_*.csv")
EODS = reference.desk_files("actant", "GE_*.json")


def desk_name(name: str) -> str:
    """The name the desk gave a file of which only a part is here."""
    return re.sub(r"\.(head|excerpt)\.", ".", name)


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.name)
def test_every_value_of_a_grid(path: Path) -> None:
    data = path.read_bytes()
    parsed = PNL_GRID.parse(data, desk_name(path.name))
    lines = reference_scenarios.grid_points(data)
    expected = [
        {"row": line, **point.record} for line, points in lines.items() for point in points or []
    ]
    assert parsed.rejected == ()
    assert parsed.frame.select(expected[0].keys()).to_dicts() == expected
    assert parsed.frame.height == 25 * len(lines) > 0
    underlying = parsed.frame.filter(pl.col("scope") == "XCME.ZN")
    assert underlying["instrument_id"].unique().to_list() == ["ZN"]


@pytest.mark.parametrize("path", EODS, ids=lambda path: path.name)
def test_every_value_of_an_eod_file(path: Path) -> None:
    data = path.read_bytes()
    parsed = EOD.parse(data, desk_name(path.name))
    expected = [
        {"row": at, **point.record}
        for at, point in enumerate(reference_scenarios.eod_points(data), 1)
        if point
    ]
    assert parsed.rejected == ()
    assert parsed.frame.select(expected[0].keys()).to_dicts() == expected
    underlying = parsed.frame.filter(pl.col("scope") == "XCME.ZN")
    assert underlying["instrument_id"].unique().to_list() == ["ZN"]
