"""Positions and instruments: keys, times, the types of prices, dates and names."""

from datetime import UTC, date, datetime

import pytest

from trade_assets.errors import UnparsableFileError
from trade_assets.tt.formats.instruments_snapshot import INSTRUMENTS, instrument_names
from trade_assets.tt.formats.positions_snapshot import POSITIONS
from trade_assets_tests.tt.formats.documents import (
    INSTRUMENT,
    INSTRUMENT_ID,
    POSITION,
    RECEIVED,
    SLOT,
    of_bodies,
    of_rows,
    read,
    reason,
)


def test_a_position() -> None:
    (row,) = read(POSITIONS, POSITION).frame.to_dicts()
    assert {name: item for name, item in row.items() if item is not None} == {
        "record_key": f"1000001/{INSTRUMENT_ID}",
        "event_time": SLOT,
        "row": 1,
        "trading_date": date(2025, 5, 15),
        "instrument_id": "ZNM25",
        "product": "ZN",
        "expiry": date(2025, 6, 18),
        "underlying_id": "ZNM25",
        "instrument": "ZNM5",
        "account_id": "1000001",
        "tt_instrument_id": INSTRUMENT_ID,
        "position_quantity": 219.0,
        "pnl_price": 110.3671875,
        "pnl_price_type": "midpoint",
        "sod_price": 110.25,
        "sod_price_type": "settle",
    }


def test_a_type_of_price_that_nobody_knows_stays() -> None:
    parsed = read(POSITIONS, {**POSITION, "pnlPriceType": "LAST", "sodPriceType": None})
    assert parsed.frame.select("pnl_price_type", "sod_price_type").rows() == [("LAST", None)]


@pytest.mark.parametrize("field", ["accountId", "instrumentId", "netPosition"])
def test_a_position_without_what_it_is_of(field: str) -> None:
    assert reason(POSITIONS, {**POSITION, field: None}) == f"{field} is missing"


def test_blanks_are_no_id() -> None:
    for field in ("accountId", "instrumentId"):
        assert reason(POSITIONS, {**POSITION, field: " "}) == f"{field} is missing"


def test_positions_of_two_accounts_in_one_instrument() -> None:
    parsed = read(POSITIONS, POSITION, {**POSITION, "accountId": 2}, {**POSITION, "netPosition": 0})
    assert parsed.frame.select("record_key", "position_quantity").rows() == [
        (f"2/{INSTRUMENT_ID}", 219.0),
        (f"1000001/{INSTRUMENT_ID}", 0.0),
    ]


def test_an_instrument() -> None:
    (row,) = read(INSTRUMENTS, INSTRUMENT, names={}).frame.to_dicts()
    assert {name: item for name, item in row.items() if item is not None} == {
        "record_key": INSTRUMENT_ID,
        "event_time": RECEIVED,
        "row": 1,
        "trading_date": date(2025, 5, 15),
        "instrument_id": "ZNM25",
        "product": "ZN",
        "expiry": date(2025, 6, 18),
        "underlying_id": "ZNM25",
        "instrument": "ZNM5",
        "tt_instrument_id": INSTRUMENT_ID,
        "product_id": "16143309052651006928",
        "tick_size": 0.015625,
        "last_trade_date": date(2025, 6, 18),
        "expiration_date": date(2025, 6, 18),
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (20250618, date(2025, 6, 18)),
        (20250618235959, date(2025, 6, 18)),
        ("20250618", date(2025, 6, 18)),
        (0, None),
        (None, None),
    ],
)
def test_dates_are_digits(given: int | str | None, kept: date | None) -> None:
    parsed = read(INSTRUMENTS, {**INSTRUMENT, "expirationDate": given})
    assert parsed.frame["expiration_date"].to_list() == [kept]


@pytest.mark.parametrize("given", [20251301, 20250618250000, 2025, 1e20, True, "x"])
def test_other_dates_reject_the_instrument(given: object) -> None:
    assert reason(INSTRUMENTS, {**INSTRUMENT, "expirationDate": given}).startswith("expirationDate")


def test_an_option_and_a_name_that_is_none_of_ours() -> None:
    rows = [{**INSTRUMENT, "id": 1, "name": "VY3N5 C110.75"}, {**INSTRUMENT, "id": 2, "name": "X"}]
    frame = read(INSTRUMENTS, *rows).frame
    assert frame.select("strike_price", "put_call", "underlying_id").row(0) == (
        110.75,
        "C",
        "ZNU25",
    )
    assert frame.select("instrument", "instrument_id").row(1) == ("X", None)


def test_both_names_of_the_list() -> None:
    bodies = (
        b'{"instrument": [{"id": 1, "name": "a"}]}',
        b'{"instruments": [{"id": 2, "name": "b"}]}',
    )
    document = of_bodies("instruments", *bodies)
    assert INSTRUMENTS.read(document, {}).frame["record_key"].to_list() == ["1", "2"]
    assert instrument_names(document) == {"1": "a", "2": "b"}


def test_names_of_what_can_be_read() -> None:
    rows = [{"id": 16143309052651006928, "name": "ZNU5"}, {"id": 3}, None, {"name": "x"}]
    assert instrument_names(of_rows("instruments", rows)) == {"16143309052651006928": "ZNU5"}
    with pytest.raises(UnparsableFileError):
        instrument_names(of_bodies("instruments", b"{}"))


def test_each_instrument_has_the_time_of_its_own_answer() -> None:
    document = of_rows("instruments", [INSTRUMENT], [{**INSTRUMENT, "id": 2}])
    earlier = datetime(2025, 5, 15, 3, tzinfo=UTC)
    first, second = document.manifest.answers
    cached = type(first)(first.path, first.query, earlier, first.size)
    manifest = type(document.manifest)("e", "instruments", SLOT, (cached, second))
    frame = INSTRUMENTS.read(type(document)(manifest, document.bodies), {}).frame
    assert frame["event_time"].to_list() == [earlier, RECEIVED]
