"""What a desk's file name says about when the file was made.

Which names a feed has is the feed's own business; its pattern has the groups `day` and `time`.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from trade_assets.datasets.records import EVENT_TIME, EVENT_TIME_TYPE, TRADING_DATE
from trade_assets.datasets.statements import Scope, StatementRule
from trade_assets.errors import UnparsableFileError
from trade_assets.market.trading_days import CENTRAL, EPOCH, stamp_to_utc, trading_date


@dataclass(frozen=True, slots=True)
class FileTime:
    """The time of a file: when all its rows were true (UTC), and the trading day of that time."""

    event_time: datetime
    trading_date: date

    def event_times(self, length: int) -> pl.Series:
        """A column of the time."""
        return repeated(EVENT_TIME, self.event_time, length)

    def trading_dates(self, length: int) -> pl.Series:
        """A column of the trading day."""
        day = pl.Series(TRADING_DATE, [self.trading_date], dtype=pl.Date)
        return day.new_from_index(0, length)


def file_time(file_name: str, pattern: re.Pattern[str]) -> FileTime:
    """Time of a file whose name has a Central `YYYYMMDD` and `HHMM` or `HHMMSS`.

    Raises:
        UnparsableFileError: the name is not of this pattern, or there is no such time.
    """
    match = pattern.fullmatch(file_name)
    event_time = stamp_to_utc(match["day"] + match["time"].ljust(6, "0")) if match else None
    if event_time is None:
        raise UnparsableFileError(file_name, "its name holds no time that exists in US Central")
    central = event_time.astimezone(CENTRAL).replace(tzinfo=None)
    return FileTime(event_time, trading_date(central))


def daily_statement(pattern: re.Pattern[str]) -> StatementRule:
    """The rule of files that are the whole truth about the day in their name; of several of a day
    that of the later time is the later edition."""

    def scope(file_name: str, _: date | None) -> Scope | None:
        match = pattern.fullmatch(file_name)
        if match is None:
            return None
        day = match["day"]
        return Scope(f"{day[:4]}-{day[4:6]}-{day[6:]}", "day")

    def edition(file_name: str) -> str:
        match = pattern.fullmatch(file_name)
        return match["time"].ljust(6, "0") if match else ""

    return StatementRule(scope, edition)


def repeated(name: str, utc: datetime, length: int) -> pl.Series:
    """A column of one UTC time, `length` times."""
    # A literal of an aware datetime costs 80 µs, its microseconds cast 6.
    micros = (utc - EPOCH) // timedelta(microseconds=1)
    return pl.Series(name, [micros], dtype=pl.Int64).cast(EVENT_TIME_TYPE).new_from_index(0, length)
