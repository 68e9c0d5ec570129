"""The registry of derived data sets: what each has to keep, and which records it looks at."""

import polars as pl
import pytest

from trade_assets.datasets.dataset import Feed, to_records
from trade_assets.datasets.records import EXTRA, RECORD_SCHEMA
from trade_assets.datasets.registry import all_datasets, dataset_named
from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.datasets import DERIVED, FEEDS, derived_from
from trade_assets.feeds.derived.declarations import DERIVED_SOURCE, GREEKS, POSITIONS, Input
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.tt.datasets import SNAPSHOTS

CALL = "XCME.VY3.21JUL25.110:75.C"
PUT = "XCME.OZN.AUG25.111.P"
FUTURE = "XCME.ZN.SEP25"


def records_of(feed: Feed, file_name: str, *lines: str) -> pl.DataFrame:
    """Stored records of a file of these lines."""
    parsed = feed.parse("\n".join(lines).encode(), file_name)
    assert parsed.rejected == ()
    return to_records(feed, parsed, f"feeds/{feed.path}/dt=2025-07-17/hh=19/{file_name}")


def chain(*rows: str, at: str = "20250717_143331") -> pl.DataFrame:
    """Records of a spot-risk file: `Key,BID,ASK,STRIKE,ITYPE,IVAVERAGE`."""
    header = "Key,BID,ASK,STRIKE,ITYPE,IVAVERAGE"
    return records_of(SPOT_RISK, f"bav_analysis_{at}.csv", header, *rows)


def times(*rows: str, at: str = "20250717_142900") -> pl.DataFrame:
    """Records of a file of times to expiry: `symbol,vtexp`."""
    return records_of(VTEXP, f"vtexp_{at}.csv", "symbol,vtexp", *rows)


def ledger(*rows: str) -> pl.DataFrame:
    """Records of a trade ledger."""
    header = "tradeId,instrumentName,marketTradeTime,buySell,quantity,price"
    return records_of(FILLS, "trades_20250717.csv", header, *rows)


def start_of_day(*rows: str) -> pl.DataFrame:
    """Records of a start-of-day file."""
    header = (
        "ACCOUNT,UNDERLYING,ASSET,RUN_DATE,PRODUCT_CODE,LONG_SHORT,QUANTITY,EXPIRE_DATE,PRICE_TODAY"
    )
    return records_of(SOD, "actant.csv", header, *rows)


FUTURE_ROW = f"{FUTURE},110.515625,110.53125,,F,"
CALL_ROW = f"{CALL},.203125,.21875,110.75,C,5.1"


def keys(item: Input, frame: pl.DataFrame) -> list[str]:
    """Which records of an input a chain asks for."""
    assert item.keys is not None
    return item.keys(frame)


def test_data_sets_by_path_and_by_name() -> None:
    assert dataset_named("actant/spot_risk") is dataset_named("spot_risk") is SPOT_RISK
    assert dataset_named("tt/fills") is dataset_named("fills") is FILLS
    assert dataset_named("derived/greeks") is dataset_named("greeks") is GREEKS
    assert dataset_named("tt_fills") is SNAPSHOTS["tt/tt_fills"]
    assert dataset_named("derived/positions") is POSITIONS
    everything = {**FEEDS, **SNAPSHOTS, **DERIVED}
    assert {path: dataset_named(path) for path in all_datasets()} == everything


def test_a_name_of_two_data_sets_names_them_both() -> None:
    with pytest.raises(UnknownFeedError) as raised:
        dataset_named("positions")
    assert str(raised.value) == (
        "'positions' may be any of derived/positions, tt/positions; give the whole path"
    )


@pytest.mark.parametrize("name", ["nothing", "", "derived", "greeks/derived", "Greeks"])
def test_unknown_data_set_lists_those_that_exist(name: str) -> None:
    with pytest.raises(UnknownFeedError) as raised:
        dataset_named(name)
    assert str(raised.value) == f"no feed {name!r}; there are {', '.join(sorted(all_datasets()))}"


@pytest.mark.parametrize("path", sorted(DERIVED))
def test_every_derived_data_set_has_columns_of_its_own(path: str) -> None:
    dataset = DERIVED[path]
    assert dataset.path == path == f"{DERIVED_SOURCE}/{dataset.name}"
    assert dataset.schema
    assert not {*dataset.schema, EXTRA} & {*RECORD_SCHEMA}
    assert list(dataset.record_schema) == [*RECORD_SCHEMA, *dataset.schema]
    assert all(isinstance(dtype, pl.DataType) for dtype in dataset.record_schema.values())
    assert all(not dtype.is_nested() for dtype in dataset.record_schema.values())


@pytest.mark.parametrize("path", sorted(DERIVED))
def test_every_derived_data_set_is_of_feeds_that_exist(path: str) -> None:
    dataset = DERIVED[path]
    assert FEEDS[dataset.origin.path] is dataset.origin
    assert dataset.inputs
    for item in dataset.inputs.values():
        assert FEEDS[item.feed.path] is item.feed


def test_what_is_computed_from_which_feed() -> None:
    assert derived_from(SPOT_RISK) == [GREEKS]
    assert derived_from(FILLS) == [POSITIONS]
    others = [feed for feed in FEEDS.values() if feed not in (SPOT_RISK, FILLS)]
    assert [derived_from(feed) for feed in others] == [[]] * 6


def test_greeks_of_a_chain_are_records() -> None:
    found = GREEKS.compute(
        chain(FUTURE_ROW, CALL_ROW),
        {"underlyings": chain(FUTURE_ROW), "times": times("XCME.ZN.N.G.21JUL25,2.1")},
    )
    assert list(found.schema.items()) == list(GREEKS.record_schema.items())
    (row,) = found.to_dicts()
    assert (row["source"], row["feed"], row["record_key"]) == ("derived", "greeks", CALL)
    assert (row["reason"], row["future_price"]) == (None, 110.5234375)
    assert row["file_key"].endswith("/bav_analysis_20250717_143331.csv")
    assert GREEKS.never_zero is not None
    assert GREEKS.figures(found)[GREEKS.never_zero] == 1


def test_positions_of_a_ledger_are_records() -> None:
    found = POSITIONS.compute(
        ledger("1,XCMEFFDPSX20250919U0ZN,2025-07-17 08:01:02,B,12,110.515625"),
        {"start_of_day": start_of_day("A,ZN,ZN,2025-07-17,FUTURE,S,5,2025-09-19,110.5")},
    )
    assert list(found.schema.items()) == list(POSITIONS.record_schema.items())
    (row,) = found.to_dicts()
    assert (row["source"], row["feed"], row["record_key"]) == ("derived", "positions", "ZNU25")
    assert (row["opening_quantity"], row["position_quantity"]) == (-5.0, 7.0)
    assert row["realized_points"] == -5 * 0.015625
    assert POSITIONS.figures(found)["positions"] == 1


@pytest.mark.parametrize("path", sorted(DERIVED))
def test_no_records_of_the_origin_and_of_the_inputs_are_none(path: str) -> None:
    dataset = DERIVED[path]
    found = dataset.compute(
        pl.DataFrame(schema=dataset.origin.record_schema),
        {
            name: pl.DataFrame(schema=item.feed.record_schema)
            for name, item in dataset.inputs.items()
        },
    )
    assert found.is_empty()
    assert list(found.schema.items()) == list(dataset.record_schema.items())
    if dataset.never_zero:
        assert dataset.figures(found)[dataset.never_zero] == 0


def test_positions_look_at_all_that_is_held_overnight() -> None:
    assert POSITIONS.inputs["start_of_day"].keys is None


def test_a_chain_asks_for_the_futures_and_the_times_of_its_options() -> None:
    frame = chain(
        FUTURE_ROW,
        CALL_ROW,
        CALL_ROW.replace(".C,", ".P,").replace(",C,", ",P,"),
        f"{PUT},.5,.6,111,P,5",
        "XCME.ZN1.05DEC25.111.C,.5,.6,111,C,5",
        "XCME.ZN,INVALID,INVALID,,N,",
    )
    assert keys(GREEKS.inputs["times"], frame) == [
        *("XCME.ZN.N.G.21JUL25", "XCME.ZN.N.G.AUG25", "XCME.ZN.N.G.05DEC25"),
    ]
    underlyings = keys(GREEKS.inputs["underlyings"], frame)
    assert set(underlyings) >= {FUTURE, "XCME.ZN.MAR26"}
    assert len(underlyings) == len(set(underlyings))


def test_futures_alone_ask_for_no_time() -> None:
    assert keys(GREEKS.inputs["times"], chain(FUTURE_ROW, "XCME.ZN,,,,N,")) == []


@pytest.mark.parametrize(
    "key",
    [
        "XCME.VY3.22JUL25.110:75.C",  # that Monday is the 21st
        "XCME.ABC.21JUL25.110:75.C",
        "110:75.C",
    ],
)
def test_an_option_that_cannot_be_translated_asks_for_nothing(key: str) -> None:
    frame = chain(f"{key},.203125,.21875,110.75,C,5.1")
    assert frame.select("put_call", "instrument_id").row(0) == ("C", None)
    assert keys(GREEKS.inputs["times"], frame) == []
    assert keys(GREEKS.inputs["underlyings"], frame) == []


@pytest.mark.parametrize(
    ("option", "instrument_id", "time"),
    [
        # Memorial Day moves the Monday's series to the day of the Tuesday's.
        ("XCME.VY4.26MAY25.110:75.C", "VY4K25-C110.75", "XCME.ZN.N.G.27MAY25"),
        ("XCME.VY4.27MAY25.110:75.C", "VY4K25-C110.75", "XCME.ZN.N.G.27MAY25"),
        ("XCME.GY4.27MAY25.110:75.C", "GY4K25-C110.75", "XCME.ZN.N.G.27MAY25"),
        # Independence Day moves the Friday's to the day of the Thursday's.
        ("XCME.ZN1.04JUL25.110:75.C", "ZN1N25-C110.75", "XCME.ZN.N.G.03JUL25"),
    ],
)
def test_a_series_that_a_holiday_moved_has_the_time_of_its_day(
    option: str, instrument_id: str, time: str
) -> None:
    frame = chain(
        "XCME.ZN.JUN25,110.515625,110.53125,,F,",
        "XCME.ZN.SEP25,110.515625,110.53125,,F,",
        f"{option},.203125,.21875,110.75,C,5.1",
        at="20250522_143331",
    )
    assert frame["instrument_id"][2] == instrument_id
    assert keys(GREEKS.inputs["times"], frame) == [time]
    clocks = times(f"{time},2.5", at="20250522_142900")
    found = GREEKS.compute(frame, {"underlyings": frame, "times": clocks})
    assert found["reason"].to_list() == [None]
