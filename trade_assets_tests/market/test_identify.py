"""Columns of symbols, against each symbol alone."""

from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.errors import SymbolError
from trade_assets.market.identify import (
    INSTRUMENT_SCHEMA,
    LONGEST_SYMBOL,
    identify,
    instrument_rows,
)
from trade_assets.market.symbols import SymbolNotation, parse_id, parse_symbol

AS_OF = date(2025, 7, 17)
TEXTS = [
    *("XCME.ZN", "XCME.ZN.SEP25", "XCME.VY3.21JUL25.110:75.C", "XCME.VY3.22JUL25.110:75.C"),
    *("XCMEFFDPSX20250919U0ZN", "XCMEOPADPS20250725N0ZN4/110.75", "XCME.ZN.N.G.AUG25"),
    *("TYU5 Comdty", "TYU0 Comdty", "TY", "VBYN25C3 110.750 Comdty"),
    *("ZNU5", "VY3N5 C110.75", "ZN Sep25", "", "?", "X" * (LONGEST_SYMBOL + 1)),
    None,
]


def row(text: str | None, notation: SymbolNotation, as_of: date) -> tuple[object, ...]:
    try:
        item = None if text is None else parse_symbol(text, notation, as_of)
    except SymbolError:
        item = None
    if item is None:
        return (None,) * len(INSTRUMENT_SCHEMA)
    strike = None if item.strike is None else float(item.strike)
    return item.instrument_id, item.product, item.expiry, strike, item.put_call, item.underlying_id


def test_one_of_each() -> None:
    frame = identify(pl.Series(TEXTS), SymbolNotation.ACTANT_RISK, AS_OF)
    assert dict(frame.schema) == INSTRUMENT_SCHEMA
    nothing = (None,) * len(INSTRUMENT_SCHEMA)
    assert frame.rows() == [
        ("ZN", "ZN", None, None, None, "ZN"),
        ("ZNU25", "ZN", date(2025, 9, 19), None, None, "ZNU25"),
        ("VY3N25-C110.75", "ZN", date(2025, 7, 21), 110.75, "C", "ZNU25"),
        *[nothing] * (len(TEXTS) - 3),
    ]


@given(
    st.lists(st.sampled_from(TEXTS), max_size=20),
    st.sampled_from(SymbolNotation),
    st.dates(date(2020, 1, 1), date(2030, 12, 31)),
)
def test_columns_are_read_as_each_symbol_alone(
    texts: list[str | None], notation: SymbolNotation, as_of: date
) -> None:
    column = pl.Series("x", texts, dtype=pl.String)
    for _ in range(2):
        frame = identify(column, notation, as_of)
        assert dict(frame.schema) == INSTRUMENT_SCHEMA
        assert frame.rows() == [row(text, notation, as_of) for text in texts]


def test_years_of_one_digit_are_not_remembered_over_the_years() -> None:
    column = pl.Series(["ZNU0"])
    ids = [
        identify(column, SymbolNotation.CME, date(year, 1, 1))["instrument_id"][0]
        for year in (2024, 2025)
    ]
    assert ids == ["ZNU20", "ZNU30"]


def test_a_change_in_place_is_not_remembered() -> None:
    column = pl.Series(["ZNU5", "?"])
    first = identify(column, SymbolNotation.CME, AS_OF)
    first.drop_in_place("product")
    first[0, "instrument_id"] = "changed"
    again = identify(column, SymbolNotation.CME, AS_OF)
    assert again["instrument_id"].to_list() == ["ZNU25", None]
    assert dict(again.schema) == INSTRUMENT_SCHEMA


def test_no_symbols() -> None:
    frame = identify(pl.Series([], dtype=pl.String), SymbolNotation.CME, AS_OF)
    assert frame.height == 0
    assert dict(frame.schema) == INSTRUMENT_SCHEMA


def test_rows_of_instruments() -> None:
    frame = instrument_rows([None, parse_id("VY3N25-C110.75"), parse_id("ZN")])
    assert dict(frame.schema) == INSTRUMENT_SCHEMA
    assert frame.rows() == [
        (None,) * 6,
        ("VY3N25-C110.75", "ZN", date(2025, 7, 21), 110.75, "C", "ZNU25"),
        ("ZN", "ZN", None, None, None, "ZN"),
    ]
    assert dict(instrument_rows([]).schema) == INSTRUMENT_SCHEMA
