"""The exchange's calendar: CME's business days, and the days on which contracts end by rule.

Dates of (year, month, week) and back. No names of contracts belong here, and no clock. Holidays are
rules: a closure that the exchange announces for a single day (a storm, a day of mourning) is not
known. Today's rules hold for all years, but Juneteenth begins in 2022.

Sources: CME Group's holiday calendar; CBOT rulebook, chapters 18 to 26 (last trading days,
expiration of options on Treasury futures); Eurex, contract specifications of fixed income futures.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from dateutil.easter import easter
from dateutil.relativedelta import FR, MO, TH, relativedelta

from trade_assets.market.products import LastTrade, Product

QUARTERLY_MONTHS: Final = (3, 6, 9, 12)
"""Months of the futures: H, M, U, Z."""

JUNETEENTH_SINCE: Final = 2022

_DAY: Final = timedelta(days=1)
_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6


@lru_cache(maxsize=256)
def holidays(year: int) -> frozenset[date]:
    """Weekdays of a year on which CME is closed.

    A holiday on Saturday is kept on Friday, but New Year (that Friday ends the old year); one on
    Sunday is kept on Monday. Columbus and Veterans day are business days.
    """
    first = date(year, 1, 1)
    kept = {
        first + _DAY if first.weekday() == _SUNDAY else first,
        first + relativedelta(weekday=MO(3)),  # Martin Luther King
        first + relativedelta(month=2, weekday=MO(3)),  # Presidents
        easter(year) - 2 * _DAY,  # Good Friday
        first + relativedelta(month=5, day=31, weekday=MO(-1)),  # Memorial
        _kept(date(year, 7, 4)),
        first + relativedelta(month=9, weekday=MO(1)),  # Labor
        first + relativedelta(month=11, weekday=TH(4)),  # Thanksgiving
        _kept(date(year, 12, 25)),
    }
    if year >= JUNETEENTH_SINCE:
        kept.add(_kept(date(year, 6, 19)))
    return frozenset(day for day in kept if day.weekday() < _SATURDAY)


def _kept(day: date) -> date:
    moves = {_SATURDAY: -_DAY, _SUNDAY: _DAY}
    return day + moves.get(day.weekday(), timedelta())


def is_business_day(day: date) -> bool:
    """Whether CME settles on a day."""
    return day.weekday() < _SATURDAY and day not in holidays(day.year)


def business_day_from(day: date) -> date:
    """The day itself if it is a business day, else the next one."""
    while not is_business_day(day):
        day += _DAY
    return day


def business_day_until(day: date) -> date:
    """The day itself if it is a business day, else the one before."""
    while not is_business_day(day):
        day -= _DAY
    return day


def business_days_before(day: date, count: int) -> date:
    """The business day `count` business days before a day."""
    for _ in range(count):
        day = business_day_until(day - _DAY)
    return day


def last_business_day(year: int, month: int) -> date:
    """The last business day of a month."""
    return business_day_until(_month_start(year, month + 1) - _DAY)


def future_last_trade(product: Product, year: int, month: int) -> date:
    """The last trading day of a product's future of a contract month."""
    if product.last_trade is LastTrade.TWO_DAYS_BEFORE_THE_TENTH:
        return _two_days_before_the_tenth(year, month)
    last = last_business_day(year, month)
    if product.last_trade is LastTrade.LAST_BUSINESS_DAY:
        return last
    return business_days_before(last, 7)


def _two_days_before_the_tenth(year: int, month: int) -> date:
    # Weekdays alone: no holiday of Eurex lies from the 6th to the 12th of a quarterly month.
    day = date(year, month, 10)
    while day.weekday() >= _SATURDAY:
        day += _DAY
    for _ in range(2):
        day -= _DAY
        while day.weekday() >= _SATURDAY:
            day -= _DAY
    return day


@lru_cache(maxsize=4096)
def month_option_friday(year: int, month: int) -> date:
    """The Friday by which a monthly option of a month ends, be it a business day or not: the last
    one that at least two business days follow up to the last one of the month before."""
    # Strictly before the last but one, whether or not it is a business day itself.
    last_but_one = business_days_before(last_business_day(year, month - 1), 1)
    return last_but_one - timedelta(days=1) + relativedelta(weekday=FR(-1))


def month_option_expiry(year: int, month: int) -> date:
    """The day on which the monthly (and quarterly) options of a month expire."""
    return business_day_until(month_option_friday(year, month))


def weekly_day(weekday: int, week: int, year: int, month: int) -> date | None:
    """The `week`-th (from 1) weekday (Monday is 0) of a month, None where it has no fifth."""
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (week - 1))
    return day if day.month == month else None


def week_of_month(day: date) -> int:
    """How many days of its weekday its month has had, itself included: 1 to 5."""
    return (day.day - 1) // 7 + 1


def weekly_expiry(day: date) -> date:
    """The day on which the weekly option of a weekday expires: a Monday that is a holiday moves to
    the next business day, another weekday to the one before."""
    return business_day_from(day) if day.weekday() == _MONDAY else business_day_until(day)


def is_month_option_friday(day: date) -> bool:
    """Whether a day is the Friday of a monthly option, which then has no weekly beside it."""
    if day.weekday() != _FRIDAY:
        return False
    after = _month_start(day.year, day.month + 1)
    return day == month_option_friday(after.year, after.month)


def _month_start(year: int, month: int) -> date:
    """The first of a month; month 0 is December of the year before, 13 January of the next."""
    return date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
