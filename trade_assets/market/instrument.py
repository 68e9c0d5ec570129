"""The instrument: what a symbol of any notation stands for, and its canonical id.

Ids are ours alone: future `ZNU25`, option series `VY3N25`, option `VY3N25-C110.75`, bare underlying
`ZN`. What other systems call an instrument does not belong here.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from trade_assets.errors import SymbolError
from trade_assets.market.contracts import (
    Contract,
    contract_named,
    contract_of_day,
    product_named,
)
from trade_assets.market.listed_contracts import listed_series, series_named_by
from trade_assets.market.numbers import shown
from trade_assets.market.products import PRODUCTS

STRIKE: Final = r"[1-9][0-9]{0,2}(?:\.[0-9]{0,2}[1-9])?"
"""Pattern of a strike in points as ids write it: below 1,000, at most three decimals, no zero at
their end."""

_ID: Final = re.compile(rf"([A-Z0-9]{{1,8}})(?:-([CP])({STRIKE}))?")
_STRIKE: Final = re.compile(STRIKE)
_ASSET: Final = re.compile(r"([A-Z]{2,4})([1-5])?")


class InstrumentKind(StrEnum):
    """What an instrument is."""

    FUTURE = "future"
    OPTION = "option"
    SERIES = "series"
    """All options of one expiry."""
    UNDERLYING = "underlying"
    """A product as such, without a contract month."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument. Made by the functions of this module and of `symbols`, which see to it that
    its parts fit together.

    Attributes:
        product: code of the product, `ZN`.
        contract: `ZNU25`, `VY3N25` (of an option its series), or the product.
        expiry: last trading day of a future, expiry of options; None: a bare underlying.
        strike: in points; of options alone.
        put_call: C or P; of options alone.
        underlying_id: id of the future that an option is on; of others their own id.
    """

    product: str
    kind: InstrumentKind
    contract: str
    expiry: date | None
    strike: Decimal | None
    put_call: str | None
    underlying_id: str | None

    @property
    def instrument_id(self) -> str:
        """The canonical id."""
        if self.strike is None:
            return self.contract
        return f"{self.contract}-{self.put_call}{strike_text(self.strike)}"


def strike_text(strike: Decimal) -> str:
    """A strike without zeros at the end: `110.75`, `111`."""
    return f"{strike.normalize():f}"


def contract_instrument(contract: Contract) -> Instrument:
    """The future, or the series as a whole."""
    return Instrument(
        contract.product.code,
        InstrumentKind.FUTURE if contract.is_future else InstrumentKind.SERIES,
        contract.code,
        contract.expiry,
        None,
        None,
        contract.underlying_id,
    )


def option_of(contract: Contract, put_call: str, strike: str) -> Instrument:
    """The option of a series; `strike` as in `STRIKE`, `put_call` C or P.

    Raises:
        SymbolError: the contract is a future.
    """
    if contract.is_future:
        raise SymbolError(f"{contract.code} is a future, which has no strike")
    return Instrument(
        contract.product.code,
        InstrumentKind.OPTION,
        contract.code,
        contract.expiry,
        Decimal(strike),
        put_call,
        contract.underlying_id,
    )


def underlying_of(product_code: str) -> Instrument:
    """The bare underlying of a product.

    Raises:
        SymbolError: no such product.
    """
    code = product_named(product_code).code
    return Instrument(code, InstrumentKind.UNDERLYING, code, None, None, None, code)


def parse_id(text: str) -> Instrument:
    """The instrument of a canonical id.

    Raises:
        SymbolError: there is none; with the reason.
    """
    match = _ID.fullmatch(text)
    if match is None:
        raise SymbolError(f"{shown(text)} is no instrument id")
    code, put_call, strike = match.groups()
    if put_call:
        return option_of(contract_named(code), put_call, strike)
    return underlying_of(code) if code in PRODUCTS else contract_instrument(contract_named(code))


def instrument_of_parts(
    *,
    product: str,
    asset: str,
    expiry: date | None,
    strike: Decimal | None,
    put_call: str | None,
) -> Instrument:
    """The future or option that a start-of-day file describes in columns.

    Args:
        product: code of the product, `ZN`.
        asset: the product for a future, else root and week of an option: `OZN`, `WY3`.
        expiry: last trading day or expiry, or the day that the contract is named by.
        strike: in points; the desk's file also writes one for futures, where it means nothing.
        put_call: C or P; None for a future.

    Raises:
        SymbolError: the parts are not those of one instrument; with the reason.
    """
    match = _ASSET.fullmatch(asset)
    if match is None:
        raise SymbolError(f"{asset!r} is no root of futures or options")
    if expiry is None:
        raise SymbolError(f"{asset} without an expiry is no instrument")
    contract = contract_of_day(match[1], int(match[2]) if match[2] else None, expiry)
    if contract.product.code != product_named(product).code:
        raise SymbolError(f"{asset} is not on {product} but on {contract.product.code}")
    if contract.is_future and put_call is None:
        return contract_instrument(contract)
    if put_call not in ("C", "P"):
        raise SymbolError(f"{put_call!r} is neither C nor P")
    return option_of(contract, put_call, _checked_strike(strike))


def _checked_strike(strike: Decimal | None) -> str:
    text = strike_text(strike) if strike is not None and strike.is_finite() else str(strike)
    if not _STRIKE.fullmatch(text):
        raise SymbolError(f"{text} is no strike")
    return text


def series_of_expiry(product: str, day: date) -> Instrument:
    """The option series of a product (by code) that is listed and expires on a day: the monthly
    one, else the weekly one. A series that a holiday moved to the day of another gives way to it.

    Raises:
        SymbolError: there is none, or no such product.
    """
    found = listed_series(product_named(product).code, day)
    if not found:
        raise SymbolError(f"no options on {product} expire on {day}")
    return contract_instrument(found[0])


def series_of_day(product: str, day: date) -> Instrument:
    """The option series of a product (by code) that is named by a day, else the one that expires on
    it: Labor Day names a weekly one that expires on the Tuesday, and the Tuesday its own.

    Raises:
        SymbolError: there is none, or no such product.
    """
    named = series_named_by(product_named(product).code, day)
    return series_of_expiry(product, day) if named is None else contract_instrument(named)
