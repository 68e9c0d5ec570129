"""Contracts: futures and option series as their codes name them, generated from the products' rules
and the calendar. `ZNU25` is a future, `VY3N25` and `OZNQ25` are series: all strikes of an expiry.

A code is root, week (weekly options), month letter and two digits of the year. No strikes, no calls
and puts, and no notation of any system belong here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from trade_assets.errors import SymbolError
from trade_assets.market.calendar import (
    QUARTERLY_MONTHS,
    future_last_trade,
    month_option_expiry,
    month_option_friday,
    weekly_day,
    weekly_expiry,
)
from trade_assets.market.products import PRODUCTS, Product, WeeklyOption

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
"""Years of contract months: those that two digits name."""

MONTH_LETTERS: Final = "FGHJKMNQUVXZ"
# Not calendar.month_abbr: that follows the machine's language.
MONTH_NAMES: Final = (
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
)

_CODE: Final = re.compile(f"([A-Z]{{2,4}})([1-5])?([{MONTH_LETTERS}])([0-9]{{2}})")


@dataclass(frozen=True, slots=True)
class Contract:
    """One future, or one option series.

    Attributes:
        root: `ZN` of a future or a Friday's weekly, `VY` of a Monday's, `OZN` of a monthly.
        weekly: which weekly option it is; None: a future or a monthly option.
        week: of a weekly, which of its weekdays in the month (1 to 5).
        year, month: the month it is named by, not always that of its expiry.
        named_day: the day that it is named by, be it a business day or not; Labor Day, of a weekly
            that expires on the Tuesday behind it. A future's is its expiry.
        expiry: last trading day of a future, expiry of an option.
        underlying_id: the future that the option is on; a future's own code.
    """

    product: Product
    is_future: bool
    root: str
    weekly: WeeklyOption | None
    week: int | None
    year: int
    month: int
    named_day: date
    expiry: date
    underlying_id: str

    @property
    def letter(self) -> str:
        """Letter of the contract month."""
        return MONTH_LETTERS[self.month - 1]

    @property
    def code(self) -> str:
        """`ZNU25`, `VY3N25`."""
        return f"{self.root}{self.week or ''}{self.letter}{self.year % 100:02}"


_WEEKLY_ROOTS: Final[Mapping[str, tuple[Product, WeeklyOption]]] = {
    weekly.cme: (product, weekly)
    for product in PRODUCTS.values()
    for weekly in product.weekly_options
}
_MONTH_ROOTS: Final[Mapping[str, Product]] = {
    product.month_option: product for product in PRODUCTS.values() if product.month_option
}


def product_named(code: str) -> Product:
    """The product of a code.

    Raises:
        SymbolError: there is none.
    """
    product = PRODUCTS.get(code)
    if product is None:
        raise SymbolError(f"{code} is no product of the desk")
    return product


def product_of_root(root: str, week: int | None) -> Product:
    """The product whose futures or options a root names; with a week it is that of a weekly.

    Raises:
        SymbolError: the root is unknown.
    """
    if week is not None and root in _WEEKLY_ROOTS:
        return _WEEKLY_ROOTS[root][0]
    product = None if week is not None else PRODUCTS.get(root) or _MONTH_ROOTS.get(root)
    if product is None:
        kind = "weekly options" if week is not None else "future or monthly option"
        raise SymbolError(f"{root} is the root of no {kind} of the desk")
    return product


@lru_cache(maxsize=16_384)
def contract(root: str, week: int | None, year: int, month: int) -> Contract:
    """The contract of a root, week (None: a future or a monthly option) and month.

    Raises:
        SymbolError: it does not exist, or cannot be named.
    """
    product = product_of_root(root, week)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise SymbolError(f"contracts are known from {FIRST_YEAR} to {LAST_YEAR}, not of {year}")
    if week is not None:
        weekly = _WEEKLY_ROOTS[root][1]
        day = _weekly_day(weekly, root, week, year, month)
        expiry = weekly_expiry(day)
        underlying = _underlying_id(product, expiry)
        return Contract(product, False, root, weekly, week, year, month, day, expiry, underlying)
    if root == product.month_option:
        day, expiry = month_option_friday(year, month), month_option_expiry(year, month)
        underlying = _underlying_id(product, expiry)
        return Contract(product, False, root, None, None, year, month, day, expiry, underlying)
    return _future(product, year, month)


def contract_if_any(root: str, week: int | None, year: int, month: int) -> Contract | None:
    """As `contract`, and None where it raises."""
    try:
        return contract(root, week, year, month)
    except SymbolError:
        return None


def _future(product: Product, year: int, month: int) -> Contract:
    if month not in QUARTERLY_MONTHS:
        raise SymbolError(f"{product.code} has futures of H, M, U, Z, not {_letter(month)}")
    expiry = future_last_trade(product, year, month)
    code = _future_code(product, year, month)
    return Contract(product, True, product.code, None, None, year, month, expiry, expiry, code)


def _weekly_day(weekly: WeeklyOption, root: str, week: int, year: int, month: int) -> date:
    day = weekly_day(weekly.weekday, week, year, month)
    if day is None:
        raise SymbolError(f"{root}{week} does not exist in {year}-{month:02}: no such weekday")
    return day


def _underlying_id(product: Product, expiry: date) -> str:
    """The first quarterly future whose own options expire on or after a day."""
    year, month = expiry.year, -(-expiry.month // 3) * 3
    while month_option_expiry(year, month) < expiry:
        year, month = (year, month + 3) if month < 12 else (year + 1, 3)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise SymbolError(f"its future is of {year}, and known are {FIRST_YEAR} to {LAST_YEAR}")
    return _future_code(product, year, month)


def _future_code(product: Product, year: int, month: int) -> str:
    return f"{product.code}{_letter(month)}{year % 100:02}"


def _letter(month: int) -> str:
    return MONTH_LETTERS[month - 1]


@lru_cache(maxsize=16_384)
def contract_named(code: str) -> Contract:
    """The contract of a code: `ZNU25`, `VY3N25`, `OZNQ25`.

    Raises:
        SymbolError: it is no code, or of no contract.
    """
    match = _CODE.fullmatch(code)
    if match is None:
        raise SymbolError(f"{code} is not root, week, month letter and two digits of a year")
    root, week, letter, year = match.groups()
    month = MONTH_LETTERS.index(letter) + 1
    return contract(root, int(week) if week else None, FIRST_YEAR + int(year), month)


@lru_cache(maxsize=16_384)
def contract_of_day(root: str, week: int | None, day: date) -> Contract:
    """The contract of a root and week that ends on a day, or is named by it. Monthly options end in
    the month before theirs, and holidays move weekly ones over the end of a month.

    Raises:
        SymbolError: none does; the reason says when the nearest one does.
    """
    product_of_root(root, week)
    near = [found for months in (0, 1, -1) if (found := _contract_near(root, week, day, months))]
    for found in near:
        if day in (found.expiry, found.named_day):
            return found
    hint = ""
    if near:
        nearest = min(near, key=lambda found: abs(found.expiry - day))
        hint = f" ({nearest.code} does on {nearest.expiry})"
    raise SymbolError(f"no {root}{week or ''} expires on {day}{hint}")


def _contract_near(root: str, week: int | None, day: date, months: int) -> Contract | None:
    index = day.year * 12 + day.month - 1 + months
    return contract_if_any(root, week, index // 12, index % 12 + 1)
