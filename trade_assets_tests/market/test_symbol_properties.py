"""Symbols by property: what is written is read back, and what is read is no contradiction."""

import random
import re
import string
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trade_assets.errors import SymbolError
from trade_assets.market.contracts import contract_named
from trade_assets.market.instrument import Instrument, contract_instrument
from trade_assets.market.listed_contracts import listed_contracts
from trade_assets.market.products import PRODUCTS
from trade_assets.market.symbols import (
    SymbolNotation,
    format_symbol,
    parse_id,
    parse_symbol,
    tt_alias,
)

LISTED = [
    contract_instrument(item)
    for product in PRODUCTS.values()
    for item in listed_contracts(product, date(2020, 1, 1), date(2035, 12, 31))
]

ALIASES = {
    SymbolNotation.ACTANT_RISK: r"XCME\.(O[A-Z]{2}|[A-Z]{2}[1-5])\.[0-9]{2}[A-Z]{3}[0-9]{2}(\..*)?",
    SymbolNotation.ACTANT_TRADES: r"XCMEO[CP]ADPS[0-9]{8}.*",
    SymbolNotation.ACTANT_TIME: r"XCME\.[A-Z]{2}\.N\.G\.[0-9]{2}[A-Z]{3}[0-9]{2}",
    SymbolNotation.BLOOMBERG: r".*[CP][1-5]? [0-9]+(\.[0-9]{1,2})? Comdty",
    SymbolNotation.CME: r"[0-9A-Z]+ [CP][1-9][0-9]{4}|[A-Z]+ [A-Z][a-z]{2}[0-9]{2}",
}
"""Forms that are read but not written."""

STRIKES = st.integers(1_000, 999_999).map(lambda points: f"{points / 1000:.3f}".rstrip("0."))


def expiry_of(item: Instrument) -> date:
    """All that is listed has one."""
    assert item.expiry is not None
    return item.expiry


def options(series: Instrument, strike: str) -> list[Instrument]:
    return [parse_id(f"{series.contract}-{right}{strike}") for right in "CP"]


def written(instrument: Instrument) -> Iterator[tuple[SymbolNotation, str]]:
    for notation in SymbolNotation:
        try:
            yield notation, format_symbol(instrument, notation)
        except SymbolError:
            continue


def test_all_that_is_listed_is_read_back_in_every_notation() -> None:
    strikes = random.Random(7)
    forms = dict.fromkeys(SymbolNotation, 0)
    for item in LISTED:
        strike = f"{strikes.randint(1, 999)}.{strikes.choice(['25', '5', '75', '125', '001'])}"
        more = options(item, strike) if item.kind == "series" else []
        for instrument in [item, *more]:
            assert parse_id(instrument.instrument_id) == instrument
            for notation, text in written(instrument):
                assert parse_symbol(text, notation, expiry_of(item)) == instrument, text
                forms[notation] += 1
    series = sum(item.kind == "series" for item in LISTED)
    futures = len(LISTED) - series
    assert series > 4_900
    assert futures == 16 * 4 * len(PRODUCTS)
    assert forms[SymbolNotation.CME] == forms[SymbolNotation.ACTANT_RISK] == 3 * series + futures
    assert forms[SymbolNotation.ACTANT_TRADES] == 2 * series + futures
    assert forms[SymbolNotation.BLOOMBERG] == 2 * series + futures
    assert forms[SymbolNotation.ACTANT_TIME] == series


def test_a_day_names_the_series_and_not_its_expiry() -> None:
    """In risk and time symbols; both days are read, and are one only where no holiday is."""
    moved = 0
    for item in LISTED:
        of = contract_named(item.contract)
        if of.weekly is None:
            continue
        moved += of.named_day != of.expiry
        risk = format_symbol(item, SymbolNotation.ACTANT_RISK)
        for day in {of.named_day, of.expiry}:
            text = f"{risk.rpartition('.')[0]}.{day:%d%b%y}".upper()
            assert parse_symbol(text, SymbolNotation.ACTANT_RISK, day) == item
            assert (text == risk) == (day == of.named_day)
    assert moved > 16 * 6


def test_symbols_are_of_one_instrument_each() -> None:
    """Within the ten years that one digit tells apart."""
    for notation in SymbolNotation:
        texts = [
            text
            for item in LISTED
            if 2020 <= expiry_of(item).year < 2029
            for found, text in written(item)
            if found is notation
        ]
        assert len(texts) == len(set(texts)), notation


def test_futures_have_an_alias_that_is_read() -> None:
    for item in LISTED:
        if item.kind == "future":
            assert parse_symbol(tt_alias(item), SymbolNotation.CME, expiry_of(item)) == item


@st.composite
def symbols(draw: st.DrawFn) -> tuple[SymbolNotation, str, date]:
    """A notation, a symbol in it, and the day by which to read it."""
    item = draw(st.sampled_from(LISTED))
    if item.kind == "series" and draw(st.booleans()):
        item = draw(st.sampled_from(options(item, draw(STRIKES))))
    notation, text = draw(st.sampled_from(list(written(item))))
    return notation, text, expiry_of(item)


def read_or_refused(text: str, notation: SymbolNotation, as_of: date) -> None:
    """What is accepted is written back as the same text, or is one of the aliases."""
    try:
        instrument = parse_symbol(text, notation, as_of)
    except SymbolError as error:
        assert str(error).startswith(f"{notation} symbol ")  # noqa: PT017
        return
    again = format_symbol(instrument, notation)
    assert parse_symbol(again, notation, as_of) == instrument
    if again != text:
        assert re.fullmatch(ALIASES.get(notation, "none"), text), (text, again)


ALPHABET = string.ascii_letters + string.digits + ".:/- \n\u0663é"


@settings(max_examples=1_500)
@given(symbols(), st.data())
def test_a_symbol_with_one_character_changed(
    symbol: tuple[SymbolNotation, str, date], data: st.DataObject
) -> None:
    notation, text, as_of = symbol
    at = data.draw(st.integers(0, len(text)))
    character = data.draw(st.sampled_from(ALPHABET))
    cut = data.draw(st.integers(0, 1))
    read_or_refused(text[:at] + character + text[at + cut :], notation, as_of)
    read_or_refused(text[:at] + text[at + 1 :], notation, as_of)


@given(symbols(), st.sampled_from(SymbolNotation))
def test_a_symbol_in_another_notation(
    symbol: tuple[SymbolNotation, str, date], notation: SymbolNotation
) -> None:
    read_or_refused(symbol[1], notation, symbol[2])


@given(st.text(max_size=40), st.sampled_from(SymbolNotation), st.dates())
def test_any_text(text: str, notation: SymbolNotation, as_of: date) -> None:
    read_or_refused(text, notation, as_of)


@pytest.mark.parametrize("digit", string.digits)
@pytest.mark.parametrize("at", [10, 11, 12, 13, 14, 15, 16, 17])
def test_no_digit_of_a_ledgers_date_can_change(at: int, digit: str) -> None:
    """The month letter, the week and the date of an option say the same thrice."""
    text = "XCMEOCADPS20250721N0VY3/110.75"
    changed = text[:at] + digit + text[at + 1 :]
    if changed != text:
        with pytest.raises(SymbolError):
            parse_symbol(changed, SymbolNotation.ACTANT_TRADES, date(2025, 7, 17))
