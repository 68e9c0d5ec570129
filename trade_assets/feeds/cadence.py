"""A feed's cadence: how long the market was open between two times, and the gaps in what came.

Pure functions of event times; where those are kept is `stores.redis.coverage`'s business, and which
cadence a feed has is the feed's.

The market is CME Globex: the session of trading date D is open from 17:00 US Central of the
calendar day before to 16:00 of D, for every business day D. The days on which the exchange opens
for a part of the session are taken as the calendar has them: open in full, or closed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
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


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of event time in which a feed should have had files and had none.

    Attributes:
        start: the last event time before it (UTC).
        end: the first event time after it; of an open gap, the time of looking.
        files_expected: how many files the cadence would have put between, at least 1.
        open: nothing has come after it yet.
    """

    start: datetime
    end: datetime
    files_expected: int
    open: bool = False


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


def find_gaps(
    intervals: Sequence[tuple[datetime, datetime]],
    cadence_seconds: float,
    gap_seconds: float,
    since: datetime | None = None,
    now: datetime | None = None,
) -> list[Gap]:
    """The gaps between covered stretches of event time, oldest first.

    Args:
        intervals: first and last event time of each stretch; sorted, disjoint (`Coverage`).
        cadence_seconds: open seconds from a file to the next.
        gap_seconds: a space of more open seconds than this is a gap.
        since: gaps that had ended by this time are left out; one that spans it is whole.
        now: the silence from the last stretch to this time may be a gap that is still open.
    """
    spaces = [(start, end, False) for (_, start), (end, _) in pairwise(intervals)]
    if now is not None and intervals:
        spaces.append((intervals[-1][1], now, True))
    gaps = []
    for start, end, still_open in spaces:
        if since is not None and end <= since:
            continue
        seconds = open_seconds(start, end)
        if seconds > gap_seconds:
            expected = _files_expected(seconds / cadence_seconds, still_open)
            gaps.append(Gap(start, end, expected, still_open))
    return gaps


def _files_expected(steps: float, still_open: bool) -> int:
    """Files strictly inside a gap of so many steps of the cadence."""
    # Two files bound a closed gap, and come a little early or late: the nearest whole number.
    # None ends an open one: all that were due before it count.
    return max(1, (math.ceil(steps) if still_open else round(steps)) - 1)


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
