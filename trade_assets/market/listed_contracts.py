"""Which contracts are listed: the futures and option series that end on a day, by rule.

Not every contract that a symbol can name is listed: the Friday of a monthly option has no weekly
one beside it. No names in any notation belong here.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from trade_assets.market.calendar import (
    QUARTERLY_MONTHS,
    is_month_option_friday,
    week_of_month,
    weekly_expiry,
)
from trade_assets.market.contracts import (
    FIRST_YEAR,
    LAST_YEAR,
    Contract,
    contract_if_any,
)
from trade_assets.market.products import PRODUCTS, Product

_DAY: Final = timedelta(days=1)


def listed_contracts(product: Product, first: date, last: date) -> Iterator[Contract]:
    """All futures and option series of a product that end from `first` to `last` (both included),
    by expiry. Those whose own or whose underlying's month has no name (beyond 2099) are left out.
    """
    for offset in range((last - first).days + 1):
        day = first + offset * _DAY
        if day.month in QUARTERLY_MONTHS:
            future = contract_if_any(product.code, None, day.year, day.month)
            if future is not None and future.expiry == day:
                yield future
        yield from listed_series(product.code, day)


def series_named_by(product_code: str, day: date) -> Contract | None:
    """The listed option series that is named by a day, whenever it expires; None: there is none.

    A day names one at most: the Friday of a monthly option has no weekly one.
    """
    if not _is_known(day):
        return None
    found = listed_series(product_code, weekly_expiry(day))
    return next((series for series in found if series.named_day == day), None)


@lru_cache(maxsize=16_384)
def listed_series(product_code: str, day: date) -> tuple[Contract, ...]:
    """The option series that are listed and expire on a day: the monthly one, then the weekly one
    named by that very day, then those that a holiday moved there."""
    if not _is_known(day):
        return ()
    product = PRODUCTS[product_code]
    monthly = _monthly_series(product, day)
    # Holidays never adjoin, so they move an expiry by one day.
    weeklies = (_weekly_series(product, named, day) for named in (day, day - _DAY, day + _DAY))
    return tuple(found for found in (monthly, *weeklies) if found is not None)


def _is_known(day: date) -> bool:
    return FIRST_YEAR - 1 <= day.year <= LAST_YEAR


def _monthly_series(product: Product, day: date) -> Contract | None:
    if product.month_option is None:
        return None
    after = day.replace(day=1) + 31 * _DAY  # monthly options expire in the month before theirs
    found = contract_if_any(product.month_option, None, after.year, after.month)
    return found if found is not None and found.expiry == day else None


def _weekly_series(product: Product, named: date, day: date) -> Contract | None:
    for weekly in product.weekly_options:
        if weekly.weekday == named.weekday() and weekly_expiry(named) == day:
            if is_month_option_friday(named):
                return None
            return contract_if_any(weekly.cme, week_of_month(named), named.year, named.month)
    return None
