"""The desk's clock: times in US Central as files and their names write them, to UTC.

Pure functions of texts; which column or name holds a time is the feed's business. An hour that the
end of daylight saving time repeats is read as its first occurrence: the files do not say which.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from trade_assets.market.calendar import business_day_from, holidays
from trade_assets.market.zones import CENTRAL as CENTRAL

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

TRADING_DAY_ROLL: Final = time(17)
"""Central time at which the next trading day begins (FORMATS.md, trade ledger)."""

NEXT_DAY_SECONDS: Final = 5 * 24 * 3600.0
"""A trading day may begin so long after something of it is written, and more: on the evening of a
Thursday before a holiday, Tuesday's begins in four days."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2099
"""Years that a desk's file can speak of; others are slips, and time zone tables end."""

YEAR: Final = "(?:19[7-9]|20[0-9])[0-9]"
"""Regular expression of those years."""

_LOCAL_TIME = (
    rf"^{YEAR}-[0-9]{{2}}-[0-9]{{2}} [0-9]{{2}}:[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{3}|\.[0-9]{6})?$"
)


def central_to_utc(local: datetime) -> datetime | None:
    """UTC time of a naive Central time; None if clocks jump over it."""
    utc = local.replace(tzinfo=CENTRAL, fold=0).astimezone(UTC)
    return utc if utc.astimezone(CENTRAL).replace(tzinfo=None, fold=0) == local else None


def stamp_to_utc(stamp: str) -> datetime | None:
    """UTC time of a Central `YYYYMMDDHHMMSS` of a file name; None if there is no such time."""
    try:
        local = datetime.strptime(stamp, "%Y%m%d%H%M%S")  # noqa: DTZ007 (Central follows)
    except ValueError:
        return None
    return central_to_utc(local) if FIRST_YEAR <= local.year <= LAST_YEAR else None


def read_local_times(texts: pl.Series) -> pl.Series:
    """`YYYY-MM-DD HH:MM:SS` with 0, 3 or 6 digits of fraction, as naive times; else null."""
    times = texts.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    return times.set(~texts.str.contains(_LOCAL_TIME), None)


def local_to_utc(local: pl.Series) -> pl.Series:
    """Naive Central times as UTC; null where clocks jump over the time."""
    return local.dt.replace_time_zone(
        CENTRAL.key, ambiguous="earliest", non_existent="null"
    ).dt.convert_time_zone("UTC")


@lru_cache(maxsize=1)
def closed_days() -> pl.Series:
    """Weekdays on which the exchange is closed, of all years that a file can speak of."""
    days = (day for year in range(FIRST_YEAR, LAST_YEAR + 2) for day in holidays(year))
    return pl.Series(sorted(days), dtype=pl.Date)


def trading_dates(local: pl.Series) -> pl.Series:
    """The trading day of naive Central times: from `TRADING_DAY_ROLL` on the next date, and where
    that is no business day of the exchange, the next one that is."""
    hours_left = 24 - TRADING_DAY_ROLL.hour
    return business_days(local.dt.offset_by(f"{hours_left}h").dt.date())


def trading_date(local: datetime) -> date:
    """The trading day of one Central time, as `trading_dates`."""
    return business_day_from((local + timedelta(hours=24 - TRADING_DAY_ROLL.hour)).date())


def business_days(dates: pl.Series) -> pl.Series:
    """Dates, each that is no business day of the exchange moved to the next one that is."""
    return dates.dt.add_business_days(0, holidays=closed_days(), roll="forward")


def trading_day_starts(dates: pl.Series) -> pl.Series:
    """When trading days begin, UTC: `TRADING_DAY_ROLL` Central of the business day before, so that
    `trading_dates` of that very time is the day."""
    before = dates.dt.add_business_days(-1, holidays=closed_days(), roll="forward")
    local = before.to_frame("day").select(pl.col("day").dt.combine(TRADING_DAY_ROLL))
    return local_to_utc(local.to_series())
