"""Symbols of Actant's files, three notations: risk (`XCME.VY3.21JUL25.110:75.C`), trades
(`XCMEOCADPS20250721N0VY3/110.75`) and time to expiry (`XCME.ZN.N.G.21JUL25`), read and written.

All functions raise `SymbolError` with the reason. Source: FORMATS.md, symbols. No columns of files
belong here.
"""

import re
from datetime import date
from typing import Final

from trade_assets.errors import SymbolError
from trade_assets.market.contracts import (
    FIRST_YEAR,
    MONTH_LETTERS,
    MONTH_NAMES,
    Contract,
    contract,
    contract_named,
    contract_of_day,
    product_named,
)
from trade_assets.market.instrument import (
    STRIKE,
    Instrument,
    InstrumentKind,
    contract_instrument,
    option_of,
    series_of_day,
    strike_text,
    underlying_of,
)
from trade_assets.market.products import PRODUCTS

_COLON_STRIKE: Final = STRIKE.replace(r"\.", ":")
_EXPIRY: Final = re.compile(f"([0-9]{{2}})?({'|'.join(MONTH_NAMES)})([0-9]{{2}})")
_RISK: Final = re.compile(
    rf"([A-Z]{{4}})\.([A-Z]{{2,4}})([1-5])?(?:\.([0-9A-Z]+)(?:\.({_COLON_STRIKE})\.([CP]))?)?"
)
_TRADES: Final = re.compile(
    rf"([A-Z]{{4}})(?:FFDPSX|O([CP])ADPS)([0-9]{{4}})([0-9]{{2}})([0-9]{{2}})([{MONTH_LETTERS}])0"
    rf"([A-Z]{{2,4}})([1-5])?(?:/({STRIKE}))?"
)
_TIME: Final = re.compile(r"([A-Z]{4})\.([A-Z]{2,4})\.N\.G\.([0-9A-Z]+)")


def parse_risk(text: str) -> Instrument:
    """A future, an option, a series (no strike, no right) or a bare underlying.

    A monthly option is named by its month (`AUG25`), and is also read by its day (`25JUL25`). A
    weekly one is named by its weekday, be that a holiday, and is also read by its expiry: Labor
    Day's `XCME.VY1.01SEP25` expires on 2 September."""
    match = _RISK.fullmatch(text)
    if match is None:
        raise SymbolError("it has not the form of such a symbol")
    exchange, root, week_digit, token, strike, put_call = match.groups()
    week = int(week_digit) if week_digit else None
    if token is None:
        if week is not None:
            raise SymbolError("a weekly option without an expiry")
        _check_exchange(exchange, root)
        return underlying_of(root)
    found = _risk_contract(root, week, token)
    _check_exchange(exchange, found.product.code)
    if strike is None:
        return contract_instrument(found)
    return option_of(found, put_call, strike.replace(":", "."))


def _risk_contract(root: str, week: int | None, token: str) -> Contract:
    day, year, month = _expiry_of(token)
    if day is None:
        if week is not None:
            raise SymbolError(f"a weekly option is named by its day, not by {token}")
        return contract(root, None, year, month)
    if root in PRODUCTS and week is None:
        raise SymbolError(f"a future is named by its month, not by {token}")
    return contract_of_day(root, week, day)


def _expiry_of(token: str) -> tuple[date | None, int, int]:
    """Day (None: a token of a month), year and month of `21JUL25` or `AUG25`."""
    match = _EXPIRY.fullmatch(token)
    if match is None:
        raise SymbolError(f"{token} is no expiry like 21JUL25 or AUG25")
    year, month = FIRST_YEAR + int(match[3]), MONTH_NAMES.index(match[2]) + 1
    return (_date(year, month, int(match[1])) if match[1] else None), year, month


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise SymbolError(f"{year}-{month:02}-{day:02} is no date") from error


def _check_exchange(exchange: str, product_code: str) -> None:
    expected = product_named(product_code).exchange
    if exchange != expected:
        raise SymbolError(f"{product_code} is traded on {expected}, not {exchange}")


def format_risk(instrument: Instrument) -> str:
    """The instrument's symbol in risk files."""
    if instrument.kind is InstrumentKind.UNDERLYING:
        return f"{product_named(instrument.product).exchange}.{instrument.product}"
    of = contract_named(instrument.contract)
    name = f"{of.product.exchange}.{of.root}{of.week or ''}.{_series_token(of)}"
    if instrument.strike is None:
        return name
    return f"{name}.{strike_text(instrument.strike).replace('.', ':')}.{instrument.put_call}"


def _series_token(of: Contract) -> str:
    if not of.weekly:
        return f"{MONTH_NAMES[of.month - 1]}{of.year % 100:02}"
    day = of.named_day
    return f"{day.day:02}{MONTH_NAMES[day.month - 1]}{day.year % 100:02}"


def parse_trades(text: str) -> Instrument:
    """A future or an option. Its day is that of its expiry; the one that it is named by is read
    too."""
    match = _TRADES.fullmatch(text)
    if match is None or (match[2] is None) != (match[9] is None):
        raise SymbolError("it has not the form of such a symbol")
    exchange, put_call, *ymd, letter, root, week, strike = match.groups()
    day = _date(int(ymd[0]), int(ymd[1]), int(ymd[2]))
    found = contract_of_day(root, int(week) if week else None, day)
    if found.letter != letter:
        raise SymbolError(f"{found.code} is of month {found.letter}, not {letter}")
    _check_exchange(exchange, found.product.code)
    if put_call is not None:
        return option_of(found, put_call, strike)
    if not found.is_future:
        raise SymbolError(f"{found.code} is an option series, not a future")
    return contract_instrument(found)


def format_trades(instrument: Instrument) -> str:
    """The instrument's symbol in trade ledgers; series and bare underlyings have none."""
    if instrument.kind not in (InstrumentKind.FUTURE, InstrumentKind.OPTION):
        raise SymbolError("ledgers name futures and options alone")
    of = contract_named(instrument.contract)
    what = "FFDPSX" if instrument.strike is None else f"O{instrument.put_call}ADPS"
    name = f"{of.product.exchange}{what}{of.expiry:%Y%m%d}{of.letter}0{of.root}{of.week or ''}"
    return name if instrument.strike is None else f"{name}/{strike_text(instrument.strike)}"


def parse_time(text: str) -> Instrument:
    """An option series; see `parse_expiry_token`."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise SymbolError("it has not the form of such a symbol")
    exchange, product, token = match.groups()
    _check_exchange(exchange, product)
    return parse_expiry_token(token, product)


def parse_expiry_token(token: str, product: str) -> Instrument:
    """The option series of a product (by code) that Actant calls by its expiry alone: `21MAY25`
    is the series of that day (`series_of_day`), `AUG25` the monthly series of August.

    Raises:
        SymbolError: there is none, or no such product.
    """
    day, year, month = _expiry_of(token)
    if day is not None:
        return series_of_day(product, day)
    root = product_named(product).month_option
    if root is None:
        raise SymbolError(f"no options on {product} are known")
    return contract_instrument(contract(root, None, year, month))


def format_time(instrument: Instrument) -> str:
    """The series' symbol in files of times to expiry; other instruments have none, nor has a weekly
    series whose day names the monthly one."""
    if instrument.kind is not InstrumentKind.SERIES:
        raise SymbolError("only option series have a time to expiry")
    of = contract_named(instrument.contract)
    token = _series_token(of)
    if of.weekly and series_of_day(instrument.product, of.named_day) != instrument:
        raise SymbolError(f"{token} names another series of that day")
    return f"{of.product.exchange}.{instrument.product}.N.G.{token}"
