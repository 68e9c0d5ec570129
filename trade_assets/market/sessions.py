"""Sessions of CME Globex: when the market is open, and for how long between two times. Pure.

The session of trading date D is open from 17:00 US Central of the calendar day before to 16:00 of
D, for every business day D. The days on which the exchange opens for a part of the session are
taken as the calendar has them: open in full, or closed.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

from trade_assets.market.calendar import is_business_day
from trade_assets.market.trading_days import CENTRAL, TRADING_DAY_ROLL, trading_date

SESSION_END: Final = time(16)
"""Central time at which the session of a trading date ends."""

TRADING_DAY_SECONDS: Final = 23 * 3600.0
"""Open seconds of a trading day, and the cadence of a daily feed: Friday's file and Monday's are
one trading day apart."""

LONGEST: Final = timedelta(days=400)
"""No more than this is looked at between two times: it bounds the work."""


def open_seconds(start: datetime, end: datetime) -> float:
    """Seconds between two aware times in which the market is open; 0 if `end` is not later.

    Of a time longer than `LONGEST` only the first `LONGEST` counts.
    """
    start = start.astimezone(UTC)
    end = min(end.astimezone(UTC), start + LONGEST)
    total = timedelta(0)
    day, last = _trading_date(start), _trading_date(end)
    while day <= last:
        opens, closes = _session(day)
        total += max(timedelta(0), min(end, closes) - max(start, opens))
        day += timedelta(days=1)
    return total.total_seconds()


def session_from(moment: datetime) -> tuple[datetime, datetime]:
    """UTC start (included) and end (excluded) of the session that is open at an aware time, else of
    the next one."""
    utc = moment.astimezone(UTC)
    day = _trading_date(utc)
    while True:
        opens, closes = _session(day)
        if opens < closes and utc < closes:
            return opens, closes
        day += timedelta(days=1)


def _trading_date(utc: datetime) -> date:
    return trading_date(utc.astimezone(CENTRAL).replace(tzinfo=None))


@lru_cache(maxsize=1024)
def _session(day: date) -> tuple[datetime, datetime]:
    """UTC start and end of a trading date's session; of a closed day, an empty one."""
    closes = datetime.combine(day, SESSION_END, CENTRAL).astimezone(UTC)
    if not is_business_day(day):
        return closes, closes
    before = day - timedelta(days=1)
    return datetime.combine(before, TRADING_DAY_ROLL, CENTRAL).astimezone(UTC), closes
