"""Whatever happens to a daily file or one of times to expiry: see `test_mutations`."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Feed
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets_tests.feeds.formats import reference, reference_daily
from trade_assets_tests.feeds.formats.test_mutations import MUTATIONS, Mutation, mutated

SOD_HEADER = b",".join(name.encode() for name in reference_daily.KNOWN_SOD) + b"\n"
FILES: dict[str, tuple[Feed, str, bytes, bytes]] = {
    "vtexp": (
        VTEXP,
        "vtexp_20250721_145812.csv",
        b"symbol,vtexp\n",
        b"XCME.ZN.N.G.22JUL25,0.961111\nXCME.ZN.N.G.AUG25,4.064583\nXCME.ZN.N.G.18JUL25,-0.5\n",
    ),
    "sod": (
        SOD,
        "actant.csv",
        SOD_HEADER,
        b"A1,ZN,ZN,2025-05-23,FUTURE,L,,109.75,500,,1000,109.65625,N\n"
        b"A1,ZN,VY5,2025-05-23,FUTR-OP,S,P,109.5,100,2025-05-27,1000,109.65625,Y\n"
        b"A2,ZN,ZN,08/11/2022,FUTURE,L,,,1.0,06/17/2022,50.0,111'280,\n"
        b"A2,ZN,ZN,08/11/2022,FUTURE,L,,,0.0,06/17/2022,50.0,110'080,\n"
        b"A1,ZN,OZN,05/20/2025,FUTR-OP,S,C,100,-60,05/23/2025,,10.0,Y\n"
        b"A1,FGBL,FGBL,2025-05-23,FUTURE,L,,129.5,10,,1000,.0069999,N\n",
    ),
    "futures": (
        FUTURES_SETTLEMENT,
        "Futures_20250717_1600.csv",
        b"SYMBOL,PX_LAST,PX_SETTLE,\n",
        b"TU,103.19125,103.19125,\nFV,108.01,#N/A N/A,\nTY,110.165,110.16,\nRX,129.2656,129.3,\n",
    ),
    "options": (
        OPTIONS_SETTLEMENT,
        "Options_20250717_1600.csv",
        b"SYMBOL,PX_LAST,PX_SETTLE,EXPIRE_DT,MONEYNESS,,\n",
        b"VBYN25C2 110.750 Comdty,#N/A Field Not Applicable,0.015625,7/14/2025,OTM,,\n"
        b"VBYN25C2 110.750 Comdty,#N/A Field Not Applicable,0.015625,7/14/2025,ITM,,\n"
        b"3MN5P 110.750 Comdty,0.265625,.0069999,7/18/2025,OTM,,\n"
        b"TYQ5C 112.250 Comdty,0.007,0.0,07/25/2025,OTM,,\n",
    ),
}
READERS: dict[str, Callable[[Mapping[str, str]], dict[str, object]]] = {
    VTEXP.name: reference_daily.vtexp_values,
    SOD.name: reference_daily.sod_values,
    FUTURES_SETTLEMENT.name: reference_daily.futures_values,
    OPTIONS_SETTLEMENT.name: reference_daily.options_values,
}
NAMES = sorted(FILES)


def check_accounted(feed: Feed, data: bytes, file_name: str) -> None:
    """The promise of `Parser`, checked with the plain reader."""
    try:
        parsed = feed.parse(data, file_name)
    except UnparsableFileError:
        return
    lines, rows = reference.data_lines(data, None), reference_daily.rows_of(data)
    stored, rejected = parsed.frame["row"].to_list(), [item.row for item in parsed.rejected]
    assert sorted(stored + rejected) == list(lines)
    assert (stored, rejected) == (sorted(stored), sorted(rejected))
    assert all(item.reason and lines[item.row].startswith(item.text) for item in parsed.rejected)
    assert dict(parsed.frame.schema) == feed.frame_schema
    assert not parsed.frame.select("record_key", "event_time").is_duplicated().any()
    assert parsed.frame.select("record_key", "event_time", "trading_date").null_count().row(0) == (
        0,
        0,
        0,
    )
    for row in parsed.frame.iter_rows(named=True):
        expected = READERS[feed.name](rows[row["row"]])
        if "extra" in expected:
            row = reference_daily.plain(row)
        if feed is OPTIONS_SETTLEMENT and row["product"] is None:
            assert (row["strike_price"], row["put_call"]) == (None, None)
            expected = {**expected, "strike_price": None, "put_call": None}
        assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize("name", NAMES)
def test_the_files_themselves_are_sound(name: str) -> None:
    feed, file_name, head, body = FILES[name]
    parsed = feed.parse(head + body, file_name)
    assert parsed.rows_in == body.count(b"\n")
    assert all(item.duplicate for item in parsed.rejected)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150)
@given(mutations=MUTATIONS)
def test_mutated_files(name: str, mutations: list[Mutation]) -> None:
    feed, file_name, head, body = FILES[name]
    check_accounted(feed, mutated(head + body, mutations), file_name)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(body=st.binary(max_size=300))
def test_any_bytes_behind_a_header(name: str, body: bytes) -> None:
    feed, file_name, head, _ = FILES[name]
    check_accounted(feed, head + body, file_name)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60)
@given(data=st.binary(max_size=300))
def test_any_bytes_at_all_are_no_file_of_any_feed(name: str, data: bytes) -> None:
    feed, file_name, head, _ = FILES[name]
    # Hypothesis also tries the constants of this project, a whole header among them.
    assume(head.partition(b",")[0] not in data)
    with pytest.raises(UnparsableFileError):
        feed.parse(data, file_name)
