"""Open hours: which slots are due, as the settings say it. Pure, without a clock.

Market hours are the exchange's sessions, always, or weekly windows in US Central; of these
maintenance is taken off: weekly windows, or single intervals.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Protocol, Self

from trade_assets.errors import SettingsError
from trade_assets.market.sessions import session_from
from trade_assets.market.trading_days import CENTRAL
from trade_assets.settings import Profile, Settings
from trade_assets.tt.formats.slot_times import SLOT, first_slot_from

GLOBEX: Final = "globex"
ALWAYS: Final = "always"
CLOSED: Final = "market closed"
MAINTENANCE: Final = "maintenance"

_EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOMENT = r"([A-Za-z]{3}) ([0-9]{2}):([0-9]{2})"
_WEEKLY: Final = re.compile(rf"{_MOMENT}-{_MOMENT}")
_WEEK: Final = timedelta(days=7)
_INSTANT: Final = timedelta(microseconds=1)

Interval = tuple[datetime, datetime]
"""UTC; the start is included, the end is not."""


class Window(Protocol):
    """Stretches of time."""

    def interval_from(self, moment: datetime) -> Interval | None:
        """The interval in which a UTC time lies, else the next; None: there is none any more."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of CME Globex, holidays left out."""

    def interval_from(self, moment: datetime) -> Interval | None:
        """As `Window`."""
        return session_from(moment)


@dataclass(frozen=True, slots=True)
class Single:
    """One interval."""

    interval: Interval

    def interval_from(self, moment: datetime) -> Interval | None:
        """As `Window`."""
        return self.interval if moment < self.interval[1] else None


@dataclass(frozen=True, slots=True)
class Weekly:
    """The same stretch of every week, US Central; it may pass the week's end.

    Attributes:
        start, end: weekday (Monday is 0) and time of day by the Central clock. Of an hour that the
            end of daylight saving time repeats, the first one.
    """

    start: tuple[int, time]
    end: tuple[int, time]

    def interval_from(self, moment: datetime) -> Interval | None:
        """As `Window`."""
        today = moment.astimezone(CENTRAL).date()
        monday = today - timedelta(days=today.weekday())
        # The window of the week before may reach into this one.
        weeks = (self._of_week(monday + number * _WEEK) for number in (-1, 0, 1))
        return next(interval for interval in weeks if moment < interval[1])

    def _of_week(self, monday: date) -> Interval:
        days = self.end[0] + (7 if self.end < self.start else 0)
        return _at(monday, self.start[0], self.start[1]), _at(monday, days, self.end[1])


@dataclass(frozen=True, slots=True)
class OpenHours:
    """When slots are due.

    Attributes:
        market: windows in which they are due; at least one.
        maintenance: windows in which they are not all the same, by the text of the setting.
    """

    market: tuple[Window, ...]
    maintenance: tuple[tuple[str, Window], ...] = ()

    @classmethod
    def parse(cls, market_hours: Sequence[str], maintenance: Sequence[str] = ()) -> Self:
        """Open hours of the texts of settings.

        Args:
            market_hours: each `globex`, `always`, or a weekly window in US Central such as
                `Sun 17:00-Fri 16:00`.
            maintenance: each a weekly window, or an interval such as
                `2026-11-21T10:00Z/2026-11-21T12:00Z`.

        Raises:
            SettingsError: naming the text that is none of these.
        """
        if not market_hours:
            raise SettingsError("tt_market_hours: there are none")
        return cls(
            tuple(_market_window(text.strip()) for text in market_hours),
            tuple((text.strip(), _maintenance_window(text.strip())) for text in maintenance),
        )

    def closed_reason(self, slot: datetime) -> str | None:
        """Why a slot is not due, in words; None: it is."""
        utc = slot.astimezone(UTC)
        if not any(_is_in(window, utc) for window in self.market):
            return CLOSED
        for text, window in self.maintenance:
            if _is_in(window, utc):
                return f"{MAINTENANCE} {text}"
        return None

    def due(self, first: datetime, last: datetime) -> list[datetime]:
        """The slots from `first` to `last`, both included, that are due; UTC.

        The work grows with the slots that are due and with the stretches in which none is, not with
        the slots in these.
        """
        slots: list[datetime] = []
        windows = [window for _, window in self.maintenance]
        moment, last = first.astimezone(UTC), last.astimezone(UTC)
        while moment <= last:
            session = _earliest(self.market, moment)
            if session is None or session[0] > last:
                break
            start = max(moment, session[0])
            pause = _earliest(windows, start)
            if pause is not None and pause[0] <= start:
                moment = pause[1]
                continue
            moment = session[1] if pause is None else min(session[1], pause[0])
            slots += _slots_before(start, min(moment, last + _INSTANT))
        return slots


def open_hours(settings: Settings) -> OpenHours:
    """The open hours that settings say; without market hours the exchange's, and in profile `local`
    always.

    Raises:
        SettingsError: naming the text that is malformed.
    """
    default = ALWAYS if settings.profile is Profile.LOCAL else GLOBEX
    return _parsed(tuple(settings.tt.market_hours) or (default,), tuple(settings.tt.maintenance))


@lru_cache(maxsize=16)
def _parsed(market_hours: tuple[str, ...], maintenance: tuple[str, ...]) -> OpenHours:
    return OpenHours.parse(market_hours, maintenance)


def _market_window(text: str) -> Window:
    if text == GLOBEX:
        return Sessions()
    if text == ALWAYS:
        return Single(_EVER)
    window = _weekly(text)
    if window is None:
        raise SettingsError(
            f"tt_market_hours: {text!r} is neither {GLOBEX}, {ALWAYS} nor a weekly window such as "
            "'Sun 17:00-Fri 16:00'"
        )
    return window


def _maintenance_window(text: str) -> Window:
    window = _weekly(text) or _single(text)
    if window is None:
        raise SettingsError(
            f"tt_maintenance: {text!r} is neither a weekly window such as 'Sat 06:00-Sat 12:00' "
            "nor an interval such as '2026-11-21T10:00Z/2026-11-21T12:00Z'"
        )
    return window


def _weekly(text: str) -> Weekly | None:
    match = _WEEKLY.fullmatch(text)
    if match is None:
        return None
    try:
        start, end = _weekly_moment(*match.groups()[:3]), _weekly_moment(*match.groups()[3:])
    except ValueError:
        return None
    return Weekly(start, end) if start != end else None


def _weekly_moment(day: str, hour: str, minute: str) -> tuple[int, time]:
    return _DAYS.index(day.lower()), time(int(hour), int(minute))


def _single(text: str) -> Single | None:
    start_text, _, end_text = text.partition("/")
    try:
        start, end = datetime.fromisoformat(start_text), datetime.fromisoformat(end_text)
        if start.tzinfo is None or end.tzinfo is None:
            return None
        interval = start.astimezone(UTC), end.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return Single(interval) if interval[0] < interval[1] else None


def _at(monday: date, days: int, clock: time) -> datetime:
    return datetime.combine(monday + timedelta(days=days), clock, CENTRAL).astimezone(UTC)


def _is_in(window: Window, moment: datetime) -> bool:
    interval = window.interval_from(moment)
    return interval is not None and interval[0] <= moment


def _earliest(windows: Iterable[Window], moment: datetime) -> Interval | None:
    """Of the windows' intervals from a time on the first; of those open then the longest."""
    found = (window.interval_from(moment) for window in windows)
    return min(
        (interval for interval in found if interval is not None),
        key=lambda interval: (max(interval[0], moment), _EVER[1] - interval[1]),
        default=None,
    )


def _slots_before(start: datetime, end: datetime) -> list[datetime]:
    first = first_slot_from(start)
    return [first + number * SLOT for number in range(-((first - end) // SLOT))]
