"""The desk's clock: times in US Central as files and their names write them, to UTC.

Pure functions of texts; which column or name holds a time is the feed's business. An hour that the
end of daylight saving time repeats is read as its first occurrence: the files do not say which.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from trade_assets.feeds.base import EVENT_TIME_TYPE

CENTRAL: Final = ZoneInfo("America/Chicago")

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

TRADING_DAY_ROLL: Final = time(17)
"""Central time at which the next trading day begins (FORMATS.md, trade ledger)."""

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2099
"""Years that a desk's file can speak of; others are slips, and time zone tables end."""

_LOCAL_TIME = (
    r"^(?:19[7-9]|20[0-9])[0-9]-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-5][0-9]:[0-5][0-9]"
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


def repeated(name: str, utc: datetime, length: int) -> pl.Series:
    """A column of one UTC time, `length` times."""
    # A literal of an aware datetime costs 80 µs, its microseconds cast 6.
    micros = (utc - EPOCH) // timedelta(microseconds=1)
    return pl.Series(name, [micros], dtype=pl.Int64).cast(EVENT_TIME_TYPE).new_from_index(0, length)


def read_local_times(texts: pl.Series) -> pl.Series:
    """`YYYY-MM-DD HH:MM:SS` with 0, 3 or 6 digits of fraction, as naive times; else null."""
    times = texts.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    return times.set(~texts.str.contains(_LOCAL_TIME), None)


def local_to_utc(local: pl.Series) -> pl.Series:
    """Naive Central times as UTC; null where clocks jump over the time."""
    return local.dt.replace_time_zone(
        CENTRAL.key, ambiguous="earliest", non_existent="null"
    ).dt.convert_time_zone("UTC")


def trading_dates(local: pl.Series) -> pl.Series:
    """The trading day of naive Central times: from `TRADING_DAY_ROLL` on, the next date."""
    hours_left = 24 - TRADING_DAY_ROLL.hour
    return local.dt.offset_by(f"{hours_left}h").dt.date()


def trading_date(local: datetime) -> date:
    """The trading day of one Central time, as `trading_dates`."""
    return (local + timedelta(hours=24 - TRADING_DAY_ROLL.hour)).date()
