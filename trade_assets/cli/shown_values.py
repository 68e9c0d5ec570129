"""How single values look to a person: ages, times, numbers. Pure; no tables, no output."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from trade_assets.market.zones import CENTRAL

SHORTEST_ID: Final = 8
"""Characters of an id that are always shown."""

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def age_text(seconds: float | None) -> str:
    """An age in two units at most: `0.8 s`, `42 s`, `3m05s`, `2h13m`, `5d04h`; blank if unknown.

    What lies ahead by more than a second (clocks differ) has a minus in front.
    """
    if seconds is None:
        return ""
    if seconds < -1:
        return f"-{age_text(-seconds)}"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    for unit, name, smaller, smaller_name in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "m"),
        (_MINUTE, "m", 1, "s"),
    ):
        if whole >= unit:
            return f"{whole // unit}{name}{whole % unit // smaller:02}{smaller_name}"
    return ""


def read_moment(value: object) -> datetime | None:
    """An ISO time as stored, aware; None where there is none that can be read."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_since(moment: datetime | None, now: datetime) -> float | None:
    """Seconds from a moment until now."""
    return None if moment is None else (now - moment) / timedelta(seconds=1)


def central_text(moment: datetime | None, *, with_date: bool = True) -> str:
    """A time in US Central, its fraction only where it has one; blank if there is none."""
    return "" if moment is None else _clock(moment.astimezone(CENTRAL), with_date=with_date)


def both_zones(moment: datetime | None) -> str:
    """A time in US Central and in UTC: `2025-07-17 09:03:22 CDT · 14:03:22 UTC`."""
    if moment is None:
        return "-"
    central, utc = moment.astimezone(CENTRAL), moment.astimezone(UTC)
    other_day = utc.date() != central.date()
    utc_text = _clock(utc, with_date=other_day)
    return f"{_clock(central, with_date=True)} {central.tzname()} · {utc_text} UTC"


def number_text(value: Decimal) -> str:
    """A number with all its digits, without the `.0` of a whole float."""
    text = format(value, "f") if -20 < value.adjusted() < 20 else str(value)
    return text.removesuffix(".0")


CUT: Final = "…"
"""Stands for what is cut off an id."""


def shortened(ids: Sequence[str]) -> list[str]:
    """Ids cut to the least length, from `SHORTEST_ID` on, at which no two that differ look the
    same; `…` stands for what is cut."""
    different = set(ids)
    longest = max(map(len, different), default=0)
    for length in range(SHORTEST_ID, longest - 1):
        if len({text[:length] for text in different}) == len(different):
            return [text if len(text) <= length + 1 else f"{text[:length]}{CUT}" for text in ids]
    return list(ids)


def counted(count: int, thing: str) -> str:
    """`1 file`, `1,204 files`."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _clock(moment: datetime, *, with_date: bool) -> str:
    text = f"{moment:%Y-%m-%d %H:%M:%S}" if with_date else f"{moment:%H:%M:%S}"
    if not moment.microsecond:
        return text
    return f"{text}.{moment.microsecond:06}".rstrip("0")
