"""Symbols of the street: Bloomberg's (`VBYN25C3 110.750 Comdty`), and the exchange's, which TT uses
too (`VY3N5 C110.75`, alias `ZN Sep25`), read and written.

Years of one digit are read as the one nearest to `near_year`, of two equally near the later. All
functions raise `SymbolError` with the reason. Source: FORMATS.md, symbols.
"""

import re
from collections.abc import Mapping
from typing import Final

from trade_assets.errors import SymbolError
from trade_assets.market.contracts import (
    FIRST_YEAR,
    MONTH_LETTERS,
    MONTH_NAMES,
    Contract,
    contract,
    contract_named,
    product_named,
)
from trade_assets.market.instrument import (
    STRIKE,
    Instrument,
    InstrumentKind,
    contract_instrument,
    option_of,
    strike_text,
    underlying_of,
)
from trade_assets.market.products import BY_BLOOMBERG, PRODUCTS, Product

_MONTH_NAMES: Final = tuple(name.title() for name in MONTH_NAMES)
_FRIDAY: Final = 4

_BLOOMBERG_ROOTS: Final[Mapping[str, str]] = {
    weekly.bloomberg: weekly.cme
    for product in PRODUCTS.values()
    for weekly in product.weekly_options
}
"""CME's root of weekly options by Bloomberg's."""

_POINTS: Final = r"[1-9][0-9]{0,2}(?:\.[0-9]{1,3})?"
_BLOOMBERG_MONTH: Final = re.compile(
    rf"([A-Z]{{2,3}})([{MONTH_LETTERS}])([0-9])(?:([CP]) ({_POINTS}))? Comdty"
)
_BLOOMBERG_WEEK: Final = re.compile(
    rf"([A-Z]{{3}})([{MONTH_LETTERS}])([0-9]{{2}})([CP])([1-5]) ({_POINTS}) Comdty"
)
_BLOOMBERG_FRIDAY: Final = re.compile(
    rf"([1-5])([A-Z])([{MONTH_LETTERS}])([0-9])([CP]) ({_POINTS}) Comdty"
)
_CME: Final = re.compile(
    rf"([A-Z]{{2,4}})([1-5])?([{MONTH_LETTERS}])([0-9])(?: ([CP])(?:({STRIKE})|([1-9][0-9]{{4}})))?"
)
_ALIAS: Final = re.compile(f"([A-Z]{{2,4}}) ({'|'.join(_MONTH_NAMES)})([0-9]{{2}})")


def parse_bloomberg(text: str, near_year: int) -> Instrument:
    """A future, an option, or a product's bare root. Strikes have three decimals, and are read
    with fewer: `111.250`, `111.25`."""
    if text in BY_BLOOMBERG:
        return underlying_of(BY_BLOOMBERG[text].code)
    if match := _BLOOMBERG_MONTH.fullmatch(text):
        root, letter, digit, put_call, strike = match.groups()
        product = _bloomberg_product(root)
        name = product.code if put_call is None else _month_option(product)
        found = contract(name, None, _year(digit, near_year), _month(letter))
        return contract_instrument(found) if strike is None else option_of(found, put_call, strike)
    if match := _BLOOMBERG_WEEK.fullmatch(text):
        root, letter, digits, put_call, week, strike = match.groups()
        return option_of(_weekly(root, week, FIRST_YEAR + int(digits), letter), put_call, strike)
    if match := _BLOOMBERG_FRIDAY.fullmatch(text):
        week, root, letter, digit, put_call, strike = match.groups()
        return option_of(_weekly(root, week, _year(digit, near_year), letter), put_call, strike)
    raise SymbolError("it has not the form of such a symbol")


def _bloomberg_product(root: str) -> Product:
    product = BY_BLOOMBERG.get(root)
    if product is None:
        raise SymbolError(f"{root} is the root of no product of the desk")
    return product


def _month_option(product: Product) -> str:
    if product.month_option is None:
        raise SymbolError(f"no options on {product.code} are known")
    return product.month_option


def _weekly(root: str, week: str, year: int, letter: str) -> Contract:
    if root not in _BLOOMBERG_ROOTS:
        raise SymbolError(f"{root} is the root of no weekly options of the desk")
    return contract(_BLOOMBERG_ROOTS[root], int(week), year, _month(letter))


def _month(letter: str) -> int:
    return MONTH_LETTERS.index(letter) + 1


def _year(digit: str, near: int) -> int:
    decade = near - near % 10 + int(digit)
    return min((decade + 10, decade, decade - 10), key=lambda year: abs(year - near))


def format_bloomberg(instrument: Instrument) -> str:
    """The instrument's Bloomberg symbol; series have none."""
    if instrument.kind is InstrumentKind.UNDERLYING:
        return product_named(instrument.product).bloomberg
    if instrument.kind is InstrumentKind.SERIES:
        raise SymbolError("Bloomberg names single options, no series")
    of = contract_named(instrument.contract)
    month = f"{of.letter}{of.year % 10}"
    if instrument.strike is None:
        return f"{of.product.bloomberg}{month} Comdty"
    right, strike = instrument.put_call, f"{instrument.strike:.3f}"
    if of.weekly is None:
        return f"{of.product.bloomberg}{month}{right} {strike} Comdty"
    if of.weekly.weekday == _FRIDAY:
        return f"{of.week}{of.weekly.bloomberg}{month}{right} {strike} Comdty"
    return f"{of.weekly.bloomberg}{of.letter}{of.year % 100:02}{right}{of.week} {strike} Comdty"


def parse_cme(text: str, near_year: int) -> Instrument:
    """A future (also by TT's alias), an option, a series or a product's bare code. Strikes are read
    as `C110.75` and as the exchange's `C11075`, hundredths in five digits; four digits could be
    tenths as well, and are no strike.
    """
    if text in PRODUCTS:
        return underlying_of(text)
    if match := _CME.fullmatch(text):
        root, week, letter, digit, put_call, strike, hundredths = match.groups()
        year = _year(digit, near_year)
        found = contract(root, int(week) if week else None, year, _month(letter))
        if put_call is None:
            return contract_instrument(found)
        return option_of(found, put_call, strike or f"{hundredths[:3]}.{hundredths[3:]}")
    if match := _ALIAS.fullmatch(text):
        root, name, digits = match.groups()
        code = product_named(root).code
        year, month = FIRST_YEAR + int(digits), _MONTH_NAMES.index(name) + 1
        return contract_instrument(contract(code, None, year, month))
    raise SymbolError("it has not the form of such a symbol")


def format_cme(instrument: Instrument) -> str:
    """The instrument's symbol at the exchange."""
    if instrument.kind is InstrumentKind.UNDERLYING:
        return product_named(instrument.product).code
    of = contract_named(instrument.contract)
    name = f"{of.root}{of.week or ''}{of.letter}{of.year % 10}"
    if instrument.strike is None:
        return name
    return f"{name} {instrument.put_call}{strike_text(instrument.strike)}"


def tt_alias(instrument: Instrument) -> str:
    """TT's alias of a future: `ZN Sep25`.

    Raises:
        SymbolError: the instrument is no future.
    """
    if instrument.kind is not InstrumentKind.FUTURE:
        raise SymbolError(f"{instrument.instrument_id} is no future, and has no alias")
    of = contract_named(instrument.contract)
    return f"{instrument.product} {_MONTH_NAMES[of.month - 1]}{of.year % 100:02}"
