"""Symbols by example: those of FORMATS.md and of the desk's files in every notation, and what is
refused with which reason."""

from datetime import date
from decimal import Decimal

import pytest

from trade_assets.errors import SymbolError
from trade_assets.market.symbols import (
    Instrument,
    InstrumentKind,
    SymbolNotation,
    format_symbol,
    instrument_of_parts,
    parse_expiry_token,
    parse_id,
    parse_symbol,
    series_of_day,
    series_of_expiry,
    tt_alias,
)

RISK, TRADES, TIME, BLOOMBERG, CME = SymbolNotation
AS_OF = date(2025, 7, 17)

EXAMPLES = [
    ("ZNU25", RISK, "XCME.ZN.SEP25"),
    ("ZNU25", TRADES, "XCMEFFDPSX20250919U0ZN"),
    ("ZNU25", BLOOMBERG, "TYU5 Comdty"),
    ("ZNU25", CME, "ZNU5"),
    ("ZBU25", TRADES, "XCMEFFDPSX20250919U0ZB"),
    ("ZFU25", TRADES, "XCMEFFDPSX20250930U0ZF"),
    ("FGBLU25", RISK, "XEUR.FGBL.SEP25"),
    ("FGBLU25", BLOOMBERG, "RXU5 Comdty"),
    ("UBU25", BLOOMBERG, "WNU5 Comdty"),
    ("TNU25", BLOOMBERG, "UXYU5 Comdty"),
    ("VY3N25-C110.75", RISK, "XCME.VY3.21JUL25.110:75.C"),
    ("VY3N25-C110.75", TRADES, "XCMEOCADPS20250721N0VY3/110.75"),
    ("VY3N25-C110.75", BLOOMBERG, "VBYN25C3 110.750 Comdty"),
    ("VY3N25-C110.75", CME, "VY3N5 C110.75"),
    ("VY3N25", RISK, "XCME.VY3.21JUL25"),
    ("VY3N25", TIME, "XCME.ZN.N.G.21JUL25"),
    ("VY3N25", CME, "VY3N5"),
    ("VY3N25-P111.5", RISK, "XCME.VY3.21JUL25.111:5.P"),
    ("VY3N25-P111.125", RISK, "XCME.VY3.21JUL25.111:125.P"),
    ("VY3N25-P111", TRADES, "XCMEOPADPS20250721N0VY3/111"),
    ("GY4N25-C110.75", BLOOMBERG, "TJPN25C4 110.750 Comdty"),
    ("WY3N25-C110.75", BLOOMBERG, "TYWN25C3 110.750 Comdty"),
    ("HY3N25-P110.5", BLOOMBERG, "TJWN25P3 110.500 Comdty"),
    ("ZN3N25-C112.25", BLOOMBERG, "3MN5C 112.250 Comdty"),
    ("ZN3N25-C112.25", RISK, "XCME.ZN3.18JUL25.112:25.C"),
    ("ZN3N25-P110", TRADES, "XCMEOPADPS20250718N0ZN3/110"),
    ("ZN4N25-P110.75", TRADES, "XCMEOPADPS20250725N0ZN4/110.75"),
    ("ZN1Q25", TIME, "XCME.ZN.N.G.01AUG25"),
    # A holiday moves the expiry, and not the name.
    ("ZN1N25-C111", RISK, "XCME.ZN1.04JUL25.111.C"),
    ("ZN1N25", TIME, "XCME.ZN.N.G.04JUL25"),
    ("VY1U25", RISK, "XCME.VY1.01SEP25"),
    ("VY1U25", TIME, "XCME.ZN.N.G.01SEP25"),
    ("VY1U25-P110.5", RISK, "XCME.VY1.01SEP25.110:5.P"),
    ("VY1U25-P110.5", TRADES, "XCMEOPADPS20250902U0VY1/110.5"),
    ("GY1U25", TIME, "XCME.ZN.N.G.02SEP25"),
    ("HY4Z20", TIME, "XCME.ZN.N.G.24DEC20"),
    ("OZNF21", TIME, "XCME.ZN.N.G.JAN21"),
    ("OZNQ25", RISK, "XCME.OZN.AUG25"),
    ("OZNQ25", TIME, "XCME.ZN.N.G.AUG25"),
    ("OZNQ25", CME, "OZNQ5"),
    ("OZNQ25-C111", RISK, "XCME.OZN.AUG25.111.C"),
    ("OZNQ25-C111", TRADES, "XCMEOCADPS20250725Q0OZN/111"),
    ("OZNQ25-C112.25", BLOOMBERG, "TYQ5C 112.250 Comdty"),
    ("OZBQ25-C112", BLOOMBERG, "USQ5C 112.000 Comdty"),
    ("OZTQ25-P103.125", CME, "OZTQ5 P103.125"),
    ("ZN", RISK, "XCME.ZN"),
    ("ZN", BLOOMBERG, "TY"),
    ("ZN", CME, "ZN"),
    ("FGBL", BLOOMBERG, "RX"),
    # The month letter is that of the day it is named by, wherever a holiday moves it.
    ("VY5K27-C111", TRADES, "XCMEOCADPS20270601K0VY5/111"),
    ("ZN1F27-C111", TRADES, "XCMEOCADPS20261231F0ZN1/111"),
    ("OZNF26-C111", TRADES, "XCMEOCADPS20251226F0OZN/111"),
]


@pytest.mark.parametrize(("instrument_id", "notation", "text"), EXAMPLES)
def test_examples_both_ways(instrument_id: str, notation: SymbolNotation, text: str) -> None:
    instrument = parse_symbol(text, notation, AS_OF)
    assert instrument.instrument_id == instrument_id
    assert parse_id(instrument_id) == instrument
    assert format_symbol(instrument, notation) == text


@pytest.mark.parametrize(
    ("instrument_id", "notation", "alias"),
    [
        ("OZNQ25-C111", RISK, "XCME.OZN.25JUL25.111.C"),
        ("OZNQ25", RISK, "XCME.OZN.25JUL25"),
        ("OZNQ25", TIME, "XCME.ZN.N.G.25JUL25"),
        ("VY1U25-P110.5", RISK, "XCME.VY1.02SEP25.110:5.P"),
        ("VY1U25-P110.5", TRADES, "XCMEOPADPS20250901U0VY1/110.5"),
        ("ZN1N25", RISK, "XCME.ZN1.03JUL25"),
        ("OZNF21", TIME, "XCME.ZN.N.G.25DEC20"),
        ("HY4Q25-P111.25", BLOOMBERG, "TJWQ25P4 111.25 Comdty"),
        ("HY4Q25-P111.5", BLOOMBERG, "TJWQ25P4 111.50 Comdty"),
        ("ZN3N25-C112", BLOOMBERG, "3MN5C 112 Comdty"),
        ("OZNQ25-C112.25", BLOOMBERG, "TYQ5C 112.25 Comdty"),
        ("VY3N25-C110.75", CME, "VY3N5 C11075"),
        ("VY3N25-C111", CME, "VY3N5 C11100"),
        ("ZNU25", CME, "ZN Sep25"),
        ("ZNH00", CME, "ZN Mar00"),
    ],
)
def test_aliases_are_read(instrument_id: str, notation: SymbolNotation, alias: str) -> None:
    instrument = parse_symbol(alias, notation, AS_OF)
    assert instrument == parse_id(instrument_id)
    assert format_symbol(instrument, notation) != alias


def test_all_parts_of_a_future() -> None:
    assert parse_id("ZNU25") == Instrument(
        "ZN", InstrumentKind.FUTURE, "ZNU25", date(2025, 9, 19), None, None, "ZNU25"
    )


def test_all_parts_of_an_option() -> None:
    assert parse_id("VY3N25-C110.75") == Instrument(
        *("ZN", InstrumentKind.OPTION, "VY3N25", date(2025, 7, 21)),
        *(Decimal("110.75"), "C", "ZNU25"),
    )


def test_all_parts_of_a_series_and_of_a_bare_underlying() -> None:
    assert parse_id("OZNQ25") == Instrument(
        "ZN", InstrumentKind.SERIES, "OZNQ25", date(2025, 7, 25), None, None, "ZNU25"
    )
    assert parse_id("ZN") == Instrument(
        "ZN", InstrumentKind.UNDERLYING, "ZN", None, None, None, "ZN"
    )


@pytest.mark.parametrize(
    ("series", "underlying"),
    [
        ("WY3K25", "ZNM25"),
        ("OZNM25", "ZNM25"),  # 23 May, the last options on June
        ("GY4K25", "ZNU25"),
        ("ZN5K25", "ZNU25"),
        ("OZNQ25", "ZNU25"),
        ("VY3N25", "ZNU25"),
        ("OZBU25", "ZBU25"),
        ("HY5Z25", ""),
        ("OZNF26", "ZNH26"),
        ("OZNH26", "ZNH26"),
        ("WY1Z25", "ZNH26"),
    ],
)
def test_underlying_futures(series: str, underlying: str) -> None:
    if underlying:
        assert parse_id(series).underlying_id == underlying
    else:
        with pytest.raises(SymbolError, match="HY5 does not exist in 2025-12"):
            parse_id(series)


@pytest.mark.parametrize(
    ("text", "as_of", "instrument_id"),
    [
        ("ZNU5", "2025-07-17", "ZNU25"),
        ("ZNU9", "2025-07-17", "ZNU29"),
        ("ZNU1", "2025-07-17", "ZNU21"),
        ("ZNU0", "2025-07-17", "ZNU30"),  # as near as 2020
        ("ZNU0", "2024-12-31", "ZNU20"),
        ("ZNH6", "2025-12-31", "ZNH26"),
        ("ZNZ9", "2030-01-02", "ZNZ29"),
    ],
)
def test_years_of_one_digit(text: str, as_of: str, instrument_id: str) -> None:
    day = date.fromisoformat(as_of)
    assert parse_symbol(text, CME, day).instrument_id == instrument_id
    bloomberg = f"TY{text[2:]} Comdty"
    assert parse_symbol(bloomberg, BLOOMBERG, day).instrument_id == instrument_id


@pytest.mark.parametrize(
    ("notation", "text", "reason"),
    [
        (RISK, "XCME.VY3.22JUL25.111.C", "no VY3 expires on 2025-07-22 (VY3N25 does on 2025-07-21"),
        (RISK, "XCME.VY3.28JUL25.111.C", "no VY3 expires on 2025-07-28"),
        (RISK, "XCME.VY3.31JUN25.111.C", "2025-06-31 is no date"),
        (RISK, "XCME.VY3.JUL25.111.C", "a weekly option is named by its day"),
        (RISK, "XCME.VY3", "a weekly option without an expiry"),
        (RISK, "XCME.ZN.19SEP25", "a future is named by its month"),
        (RISK, "XCME.ZN.AUG25", "ZN has futures of H, M, U, Z, not Q"),
        (RISK, "XCME.ZN.SEP25.111.C", "ZNU25 is a future, which has no strike"),
        (RISK, "XCME.OZN.24JUL25.111.C", "(OZNQ25 does on 2025-07-25)"),
        (RISK, "XCME.ES.SEP25", "ES is the root of no future or monthly option"),
        (RISK, "XCME.QQ3.21JUL25.111.C", "QQ is the root of no weekly options"),
        (RISK, "XCME.ZN.Sep25", "not the form"),
        (RISK, "XCME.ZN.SEPT25", "SEPT25 is no expiry like"),
        (RISK, "XCME.ES", "ES is no product of the desk"),
        (RISK, "XEUR.ZN.SEP25", "ZN is traded on XCME, not XEUR"),
        (RISK, "XCME.OFGBL.SEP25", "not the form"),
        (RISK, "XCME.VY3.21JUL25.111:50.C", "not the form"),
        (RISK, "XCME.VY3.21JUL25.111.75.C", "not the form"),
        (RISK, "XCME.VY3.21JUL25.111.c", "not the form"),
        (RISK, "XCME.VY3.21JUL25.0.C", "not the form"),
        (RISK, "xcme.ZN.SEP25", "not the form"),
        (RISK, "XCME.ZN.SEP25\n", "not the form"),
        (RISK, "", "not the form"),
        (TRADES, "XCMEFFDPSX20250918U0ZN", "(ZNU25 does on 2025-09-19)"),
        (TRADES, "XCMEFFDPSX20250919Z0ZN", "ZNU25 is of month U, not Z"),
        (TRADES, "XCMEFFDPSX20250919U0ZF", "(ZFU25 does on 2025-09-30)"),
        (TRADES, "XCMEFFDPSX20250725Q0OZN", "OZNQ25 is an option series, not a future"),
        (TRADES, "XEURFFDPSX20250919U0ZN", "ZN is traded on XCME"),
        (TRADES, "XCMEFFDPSX20251319U0ZN", "2025-13-19 is no date"),
        (TRADES, "XCMEOCADPS20250721Q0VY3/110.75", "VY3N25 is of month N, not Q"),
        (TRADES, "XCMEOCADPS20250919U0ZN/110.75", "ZNU25 is a future, which has no strike"),
        (TRADES, "XCMEOCADPS20250721N0VY3", "not the form"),
        (TRADES, "XCMEOXADPS20250721N0VY3/110", "not the form"),
        (TRADES, "XCMEFFDPSX00010101U0ZN", "no ZN expires on 0001-01-01"),
        (TRADES, "XCMEFFDPSX99991231Z0ZN", "no ZN expires on 9999-12-31"),
        (TIME, "XCME.ZN.N.G.20JUL25", "no options on ZN expire on 2025-07-20"),
        (TIME, "XCME.ZN.N.G.05JUL25", "no options on ZN expire on 2025-07-05"),
        (TIME, "XCME.ZB.N.G.21JUL25", "no options on ZB expire on 2025-07-21"),
        (TIME, "XEUR.FGBL.N.G.AUG25", "no options on FGBL are known"),
        (TIME, "XCME.OZN.N.G.AUG25", "OZN is no product"),
        (TIME, "XCME.ZN.N.H.AUG25", "not the form"),
        (BLOOMBERG, "TYQ5 Comdty", "ZN has futures of H, M, U, Z, not Q"),
        (BLOOMBERG, "ESU5 Comdty", "ES is the root of no product"),
        (BLOOMBERG, "RXQ5C 112.000 Comdty", "no options on FGBL are known"),
        (BLOOMBERG, "VBYN25C5 112.000 Comdty", "VY5 does not exist in 2025-07"),
        (BLOOMBERG, "ABCN25C3 112.000 Comdty", "ABC is the root of no weekly options"),
        (BLOOMBERG, "3XN5C 112.000 Comdty", "X is the root of no weekly options"),
        (BLOOMBERG, "TYQ5C 112. Comdty", "not the form"),
        (BLOOMBERG, "TYQ5C 112.2500 Comdty", "not the form"),
        (BLOOMBERG, "TYQ5C 0.25 Comdty", "not the form"),
        (BLOOMBERG, "TYU5", "not the form"),
        (CME, "ZNU25", "not the form"),
        (CME, "ZNQ5", "ZN has futures of H, M, U, Z, not Q"),
        (CME, "VYN5", "VY is the root of no future or monthly option"),
        (CME, "OZN3N5", "OZN is the root of no weekly options"),
        (CME, "ZNU5 C111", "ZNU25 is a future, which has no strike"),
        (CME, "VY3N5 C1110", "not the form"),
        (CME, "ES Sep25", "ES is no product"),
        (CME, "ZN Aug25", "ZN has futures of H, M, U, Z, not Q"),
        (CME, "OZN Aug25", "OZN is no product"),
    ],
)
def test_refused_with_the_reason(notation: SymbolNotation, text: str, reason: str) -> None:
    with pytest.raises(SymbolError) as caught:
        parse_symbol(text, notation, AS_OF)
    assert str(caught.value).startswith(f"{notation} symbol {text!r}: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("notation", "instrument_id", "reason"),
    [
        (TRADES, "VY3N25", "ledgers name futures and options alone"),
        (TRADES, "ZN", "ledgers name futures and options alone"),
        (TIME, "ZNU25", "only option series have a time to expiry"),
        (TIME, "VY3N25-C111", "only option series"),
        (TIME, "ZN4N25", "25JUL25 names another series of that day"),
        (BLOOMBERG, "VY3N25", "Bloomberg names single options"),
    ],
)
def test_no_symbol_with_the_reason(
    notation: SymbolNotation, instrument_id: str, reason: str
) -> None:
    with pytest.raises(SymbolError) as caught:
        format_symbol(parse_id(instrument_id), notation)
    assert str(caught.value).startswith(f"{instrument_id} has no {notation} symbol: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        *("", "ES", "ESU25", "ZNU5", "ZNQ25", "VY3N25-C110.750", "VY3N25-X110", "VY3N25-C"),
        *("ZNU25-C110", "ZN-C110", "VYN25", "VY6N25", "WY5K25", "znu25", "VY3N25-C1000"),
        "OZNZ99-C1\n",
    ],
)
def test_no_ids(text: str) -> None:
    with pytest.raises(SymbolError):
        parse_id(text)


def test_what_two_digits_of_a_year_cannot_name() -> None:
    """The December weeklies of 2099 are on a future of 2100."""
    assert parse_id("OZNZ99").underlying_id == "ZNZ99"
    with pytest.raises(SymbolError, match="its future is of 2100"):
        parse_id("VY1Z99")
    with pytest.raises(SymbolError, match="not of 2101"):
        parse_symbol("ZNH1", CME, date(2099, 12, 1))


def test_tt_alias() -> None:
    assert tt_alias(parse_id("ZNU25")) == "ZN Sep25"
    with pytest.raises(SymbolError, match="OZNU25 is no future"):
        tt_alias(parse_id("OZNU25"))


def of_parts(
    asset: str,
    expiry: str | None,
    strike: str | None = None,
    put_call: str | None = None,
    product: str | None = None,
) -> str:
    return instrument_of_parts(
        product=product or "ZN",
        asset=asset,
        expiry=date.fromisoformat(expiry) if expiry else None,
        strike=Decimal(strike) if strike else None,
        put_call=put_call,
    ).instrument_id


def test_parts_of_a_start_of_day_file() -> None:
    assert of_parts("ZN", "2025-06-18") == "ZNM25"
    assert of_parts("ZN", "2025-06-18", "109.75") == "ZNM25"
    assert of_parts("ZT", "2025-06-30", product="ZT") == "ZTM25"
    assert of_parts("FGBL", "2025-06-06", "129.5", product="FGBL") == "FGBLM25"
    assert of_parts("OZN", "2025-05-23", "100", "C") == "OZNM25-C100"
    assert of_parts("WY3", "2025-05-21", "100.0", "P") == "WY3K25-P100"
    assert of_parts("VY4", "2025-05-27", "109.50", "P") == "VY4K25-P109.5"
    assert of_parts("VY4", "2025-05-26", "109.50", "P") == "VY4K25-P109.5"
    assert of_parts("ZN5", "2025-05-30", "109.75", "P") == "ZN5K25-P109.75"


@pytest.mark.parametrize(
    ("asset", "rest", "reason"),
    [
        ("ZN", (None,), "ZN without an expiry"),
        ("FGBL", (None, "129.5", None, "FGBL"), "FGBL without an expiry"),
        ("WY5", ("2025-05-28", "109.5", "P"), "no WY5 expires on 2025-05-28"),
        ("VY5", ("2025-05-27", "109.5", "P"), "no VY5 expires on 2025-05-27"),
        ("ZN", ("2022-06-17",), "(ZNM22 does on 2022-06-21)"),
        ("OZB", ("2025-05-23", "109", "P"), "OZB is not on ZN but on ZB"),
        ("OZB", ("2025-05-23", "109", "P", "ES"), "ES is no product"),
        ("ES", ("2025-05-23",), "ES is the root of no"),
        ("zn", ("2025-06-18",), "'zn' is no root"),
        ("OZN", ("2025-05-23", "109"), "None is neither C nor P"),
        ("OZN", ("2025-05-23", "109", "X"), "'X' is neither C nor P"),
        ("OZN", ("2025-05-23", None, "P"), "None is no strike"),
        ("OZN", ("2025-05-23", "0", "P"), "0 is no strike"),
        ("OZN", ("2025-05-23", "-1", "P"), "-1 is no strike"),
        ("OZN", ("2025-05-23", "109.0625", "P"), "109.0625 is no strike"),
        ("OZN", ("2025-05-23", "NaN", "P"), "NaN is no strike"),
        ("OZN", ("2025-05-23", "1E+9", "P"), "1000000000 is no strike"),
        ("ZN", ("2025-06-18", "109", "P"), "ZNM25 is a future, which has no strike"),
    ],
)
def test_parts_that_do_not_fit(asset: str, rest: tuple[str | None, ...], reason: str) -> None:
    with pytest.raises(SymbolError) as caught:
        of_parts(asset, *rest)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("day", "series"),
    [
        ("2025-07-21", "VY3N25"),
        ("2025-07-25", "OZNQ25"),
        ("2025-08-01", "ZN1Q25"),
        ("2025-05-27", "GY4K25"),  # not VY4, which Memorial Day moved there
        ("2025-07-03", "HY1N25"),
        ("2020-12-24", "OZNF21"),  # before HY4, for Christmas moved it there
        ("2027-06-01", "GY1M27"),
    ],
)
def test_series_by_expiry(day: str, series: str) -> None:
    assert series_of_expiry("ZN", date.fromisoformat(day)).instrument_id == series


@pytest.mark.parametrize(
    ("day", "series", "expiry"),
    [
        ("2025-09-01", "VY1U25", "2025-09-02"),
        ("2025-09-02", "GY1U25", "2025-09-02"),
        ("2025-07-25", "OZNQ25", "2025-07-25"),
        ("2020-12-24", "HY4Z20", "2020-12-24"),
        ("2020-12-25", "OZNF21", "2020-12-24"),
        ("2099-06-01", "VY1M99", "2099-06-01"),
    ],
)
def test_series_by_the_day_that_names_them(day: str, series: str, expiry: str) -> None:
    found = series_of_day("ZN", date.fromisoformat(day))
    assert (found.instrument_id, str(found.expiry)) == (series, expiry)


@pytest.mark.parametrize(
    ("product", "day"),
    [
        ("ZN", "2025-07-19"),
        ("ZN", "2025-07-04"),
        ("ZB", "2025-07-21"),
        ("FGBL", "2025-07-25"),
        ("ES", "2025-07-25"),
        ("ZN", "0001-01-01"),
        ("ZN", "9999-12-31"),
        ("ZN", "2099-12-29"),
    ],
)
def test_days_without_a_series(product: str, day: str) -> None:
    with pytest.raises(SymbolError):
        series_of_expiry(product, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("product", "day"),
    [("ZN", "2025-07-19"), ("ZB", "2025-09-01"), ("ES", "2025-07-25"), ("ZN", "0001-01-01")],
)
def test_days_that_name_no_series(product: str, day: str) -> None:
    with pytest.raises(SymbolError):
        series_of_day(product, date.fromisoformat(day))


def test_expiry_tokens() -> None:
    assert parse_expiry_token("21MAY25", "ZN").instrument_id == "WY3K25"
    assert parse_expiry_token("AUG25", "ZN").instrument_id == "OZNQ25"
    assert parse_expiry_token("AUG25", "ZB").instrument_id == "OZBQ25"
    for token in ("21MAY", "w/o first", "XCME.ZN", "21May25", "30FEB25"):
        with pytest.raises(SymbolError):
            parse_expiry_token(token, "ZN")
