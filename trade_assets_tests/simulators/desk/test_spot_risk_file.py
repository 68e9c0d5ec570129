"""The simulated spot-risk file is in the true format, and the parser reads all of it."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.simulators.desk.spot_risk_file import number, spot_risk_chunks, spot_risk_file
from trade_assets_tests.feeds.formats import reference
from trade_assets_tests.samples.made_files import SAMPLES

AT = datetime(2025, 7, 17, 19, 33, 31, tzinfo=UTC)
NUMBER = re.compile(r"-?[1-9]?[0-9]*\.[0-9]{7}|-?[0-9]+|INVALID|")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (111.0, "111"),
        (111.25, "111.2500000"),
        (1 / 64, ".0156250"),
        (0.0069999, ".0069999"),
        (-0.5, "-.5000000"),
        (-6065.625, "-6065.6250000"),
        (10.5, "10.5000000"),
        (0.0, "0"),
        (-1e-12, "0"),
        (110649437.5, "110649437.5000000"),
    ],
)
def test_numbers_are_written_as_actant_does(value: float, text: str) -> None:
    assert number(value) == text


RISK_FILES = [
    SAMPLES / "actant" / "bav_analysis_20250718_101600.csv",
    *sorted((reference.DATA / "actant").glob("bav_analysis_*.csv")),
]
"""One written by hand, and real ones."""


@pytest.mark.parametrize("path", RISK_FILES, ids=lambda path: path.name)
def test_layout_is_that_of_a_desks_file(path: Path) -> None:
    desks = path.read_text().splitlines()
    name, data = spot_risk_file(7, AT)
    ours = data.decode().splitlines()
    assert name == "bav_analysis_20250717_143331.csv"
    assert ours[:2] == desks[:2]
    shapes = [[line.split(",") for line in lines] for lines in (ours, desks)]
    for lines in shapes:
        assert all(len(fields) == 16 for fields in lines)
    assert all(NUMBER.fullmatch(text) for fields in shapes[0][2:] for text in fields[1:4])
    for lines in shapes:
        assert [fields[0] for fields in (lines[2], lines[-1])] == ["XCME.ZN.SEP25", "XCME.ZN"]
    assert shapes[0][-1][:9] == shapes[1][-1][:9]


def test_same_seed_same_bytes() -> None:
    assert spot_risk_file(7, AT) == spot_risk_file(7, AT + timedelta(milliseconds=400))
    assert spot_risk_file(7, AT) != spot_risk_file(8, AT)
    assert spot_risk_file(7, AT)[1] != spot_risk_file(7, AT + timedelta(seconds=30))[1]


@settings(max_examples=40)
@given(
    st.integers(0, 2**40),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),
    st.sampled_from([4, 80, 81, 400]),
    st.booleans(),
)
def test_any_file_parses_whole(seed: int, at: datetime, rows: int, wide: bool) -> None:
    name, data = spot_risk_file(seed, at, rows=rows, wide=wide)
    parsed = SPOT_RISK.parse(data, name)
    assert (parsed.rejected, parsed.frame.height) == ((), rows)
    assert set(parsed.frame["event_time"]) <= {
        at.replace(microsecond=0),
        at.replace(microsecond=0) - timedelta(hours=1),  # the hour that is there twice
    }
    quotes = parsed.frame.drop_nulls(["bid_price", "ask_price"])
    assert (quotes["bid_price"] < quotes["ask_price"]).all()
    assert (parsed.frame["ask_price"].drop_nulls() > 0).all()
    assert parsed.frame["instrument_id"].null_count() == 0
    futures = parsed.frame.filter(parsed.frame["instrument_type"] == "F")["instrument_id"]
    assert set(parsed.frame["underlying_id"]) <= {*futures, "ZN"}
    assert parsed.frame["position_quantity"].is_null().all() != wide


def test_a_day_shows_every_kind_of_row() -> None:
    text = b"".join(
        spot_risk_file(7, AT + timedelta(minutes=7 * n), wide=wide)[1]
        for n in range(40)
        for wide in (True, False)
    ).decode()
    assert ",INVALID,.0069999," in text
    assert ",INVALID,.0156250," in text
    assert ",.0069999,.0156250," in text
    assert re.search(r",C,\.\d{7},INVALID,", text)
    assert re.search(r",P,,,,,-?[1-9]\d*,-?[1-9]", text)


def test_chunks_hold_the_rows_of_the_whole_file() -> None:
    name, data = spot_risk_file(7, AT)
    chunks = spot_risk_chunks(7, AT, 16)
    whole = SPOT_RISK.parse(data, name).frame.drop("row")
    parsed = [SPOT_RISK.parse(content, chunk) for chunk, content in chunks]
    assert chunks[2][0] == "bav_analysis_20250717_143331_chunk_03_of_16.csv"
    assert [row for part in parsed for row in part.frame.drop("row").rows()] == whole.rows()
    assert sum(part.rows_in for part in parsed) == 80


def test_too_small_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4 rows"):
        spot_risk_file(7, AT, rows=3)
