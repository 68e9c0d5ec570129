"""Open hours against a slot-by-slot count, across weekends, holidays, clock changes and pauses."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trade_assets.errors import SettingsError
from trade_assets.market.sessions import open_seconds, session_from
from trade_assets.market.trading_days import CENTRAL, central_to_utc
from trade_assets.settings import Profile, load_settings
from trade_assets.tt.formats.slot_times import SLOT, slots_between
from trade_assets.tt.slots.open_hours import OpenHours, open_hours

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def central(text: str) -> datetime:
    """UTC time of a Central `2025-07-17 16:00`."""
    utc = central_to_utc(datetime.fromisoformat(text))
    assert utc is not None
    return utc


def hours(*market: str, pause: str = "") -> OpenHours:
    return OpenHours.parse(market or ["always"], [pause] if pause else [])


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2025-07-17 15:59:30", True),  # a Thursday
        ("2025-07-17 16:00", False),
        ("2025-07-17 16:59:30", False),
        ("2025-07-17 17:00", True),
        ("2025-07-18 16:00", False),  # Friday
        ("2025-07-19 12:00", False),
        ("2025-07-20 16:59:30", False),
        ("2025-07-20 17:00", True),
        ("2025-07-03 18:00", False),  # the evening before Independence Day
        ("2025-07-04 10:00", False),
        ("2025-07-06 17:00", True),
        ("2025-03-09 17:00", True),  # the clocks changed this Sunday
        ("2025-03-09 16:59:30", False),
    ],
)
def test_globex_is_the_exchanges_sessions(moment: str, is_open: bool) -> None:
    reason = hours("globex").closed_reason(central(moment))
    assert reason == (None if is_open else "market closed")


@given(st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)))
def test_a_session_is_all_open_and_nothing_is_open_before_it(moment: datetime) -> None:
    opens, closes = session_from(moment)
    assert moment < closes
    assert open_seconds(opens, closes) == (closes - opens).total_seconds() > 0
    assert open_seconds(moment, opens) == 0
    assert (opens <= moment) == (open_seconds(moment, moment + timedelta(seconds=1)) > 0)


@pytest.mark.parametrize(
    ("window", "moment", "is_open"),
    [
        ("Sun 17:00-Fri 16:00", "2025-07-20 16:59:59", False),
        ("Sun 17:00-Fri 16:00", "2025-07-20 17:00", True),
        ("Sun 17:00-Fri 16:00", "2025-07-23 03:00", True),
        ("Sun 17:00-Fri 16:00", "2025-07-25 15:59:59", True),
        ("Sun 17:00-Fri 16:00", "2025-07-25 16:00", False),
        ("sun 17:00-fri 16:00", "2025-07-26 12:00", False),
        ("Mon 08:00-Mon 09:00", "2025-07-21 08:30", True),
        ("Mon 08:00-Mon 09:00", "2025-07-22 08:30", False),
        ("Mon 09:00-Mon 08:00", "2025-07-21 08:30", False),
        ("Mon 09:00-Mon 08:00", "2025-07-21 07:30", True),
        ("Mon 09:00-Mon 08:00", "2025-07-27 12:00", True),
        ("Sat 22:00-Mon 02:00", "2025-07-20 23:59", True),
        ("Sat 22:00-Mon 02:00", "2025-07-21 01:59", True),
        ("Sat 22:00-Mon 02:00", "2025-07-21 02:00", False),
        ("Sun 17:00-Fri 16:00", "2025-01-05 17:00", True),  # winter
        ("Sun 17:00-Fri 16:00", "2025-01-05 16:59:59", False),
        ("Sun 17:00-Fri 16:00", "2025-11-02 17:00", True),  # the day on which summer ends
        ("Sun 17:00-Fri 16:00", "2025-11-02 16:59:59", False),
    ],
)
def test_weekly_windows_follow_the_central_clock(window: str, moment: str, is_open: bool) -> None:
    assert (hours(window).closed_reason(central(moment)) is None) is is_open


def test_several_windows_add_up() -> None:
    both = hours("Mon 08:00-Mon 12:00", "Mon 10:00-Mon 14:00")
    day = [central("2025-07-21 00:00"), central("2025-07-21 23:59:30")]
    due = both.due(*day)
    assert due == list(slots_between(central("2025-07-21 08:00"), central("2025-07-21 13:59:30")))


def test_maintenance_is_named() -> None:
    single = "2026-11-21T10:00Z/2026-11-21T12:00Z"
    pause = hours(pause=single)
    at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert pause.closed_reason(at - SLOT) is None
    assert pause.closed_reason(at) == f"maintenance {single}"
    assert pause.closed_reason(at + timedelta(hours=2) - SLOT) == f"maintenance {single}"
    assert pause.closed_reason(at + timedelta(hours=2)) is None
    weekly = hours(pause="Sat 06:00-Sat 12:00")
    assert weekly.closed_reason(central("2025-07-19 06:00")) == "maintenance Sat 06:00-Sat 12:00"
    closed = hours("globex", pause="Sat 06:00-Sat 12:00")
    assert closed.closed_reason(central("2025-07-19 06:00")) == "market closed"


@st.composite
def weekly_windows(draw: st.DrawFn) -> str:
    ends = [
        f"{draw(st.sampled_from(DAYS))} {draw(st.integers(0, 23)):02}:{draw(st.integers(0, 59)):02}"
        for _ in range(2)
    ]
    return f"{ends[0]}-{ends[1]}" if ends[0] != ends[1] else "Mon 00:00-Tue 00:00"


@st.composite
def intervals(draw: st.DrawFn) -> str:
    start = datetime(2025, 3, 1) + timedelta(minutes=draw(st.integers(0, 60 * 24 * 14)))
    end = start + timedelta(minutes=draw(st.integers(1, 60 * 24 * 3)))
    return f"{start.isoformat()}Z/{end.isoformat()}Z"


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(["always", "globex"]) | weekly_windows(), min_size=1, max_size=3),
    st.lists(weekly_windows() | intervals(), max_size=3),
    st.integers(0, 14 * 2880),
    st.integers(-1, 3 * 2880),
)
def test_due_slots_are_those_without_a_reason(
    market: list[str], maintenance: list[str], first: int, count: int
) -> None:
    """Over the fortnight of a clock change."""
    found = OpenHours.parse(market, maintenance)
    start = datetime(2025, 3, 1, tzinfo=UTC) + first * SLOT
    end = start + count * SLOT
    due = set(found.due(start, end))
    looked_at = [slot for at, slot in enumerate(slots_between(start, end)) if at % 7 == 0]
    assert {slot for slot in looked_at if found.closed_reason(slot) is None} == due & {*looked_at}
    assert sorted(due) == found.due(start, end)


def test_both_ends_count() -> None:
    start = datetime(2025, 7, 17, 12, tzinfo=UTC)
    assert hours().due(start, start) == [start]
    assert hours().due(start, start + SLOT) == [start, start + SLOT]
    assert hours().due(start + timedelta(microseconds=1), start + SLOT) == [start + SLOT]
    assert hours().due(start + SLOT, start) == []
    assert hours("globex").due(central("2025-07-19 00:00"), central("2025-07-20 00:00")) == []
    over = hours("Mon 08:00-Mon 09:00", pause="Sun 00:00-Sat 00:00")
    assert over.due(start, start + timedelta(days=30)) == []


def test_a_quarter_of_a_year() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    end = start + timedelta(days=90)
    due = hours("globex").due(start, end - SLOT)
    assert len(due) == open_seconds(start, end) / SLOT.total_seconds()
    assert all(late - early >= SLOT for early, late in pairwise(due))


def test_a_slot_of_any_zone() -> None:
    local = central("2025-07-17 12:00").astimezone(CENTRAL)
    assert hours("globex").closed_reason(local) is None
    assert hours("globex").due(local, local) == [local]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Globex hours",
        "Sun 17:00",
        "Sun 17:00-Sun 17:00",
        "Son 17:00-Fri 16:00",
        "Sun 24:00-Fri 16:00",
        "Sun 17:60-Fri 16:00",
        "Sun 5:00-Fri 16:00",
        "2026-11-21T10:00Z/2026-11-21T12:00Z",
    ],
)
def test_malformed_market_hours_are_named(text: str) -> None:
    with pytest.raises(SettingsError) as error:
        OpenHours.parse(["always", text], [])
    assert f"tt_market_hours: {text!r}" in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "always",
        "globex",
        "2026-11-21T10:00/2026-11-21T12:00",
        "2026-11-21T12:00Z/2026-11-21T10:00Z",
        "2026-11-21T10:00Z/2026-11-21T10:00Z",
        "2026-11-21T10:00Z",
        "2026-11-21T10:00Z/tomorrow",
        "0001-01-01T00:00+05:00/2026-11-21T10:00Z",
    ],
)
def test_malformed_maintenance_is_named(text: str) -> None:
    with pytest.raises(SettingsError) as error:
        OpenHours.parse(["always"], [text])
    assert f"tt_maintenance: {text!r}" in str(error.value)


@given(st.text(max_size=40))
def test_any_other_text_is_named(text: str) -> None:
    assume(text.strip() not in ("always", "globex") and "-" not in text and "/" not in text)
    for market, maintenance in (([text], []), (["always"], [text])):
        with pytest.raises(SettingsError) as error:
            OpenHours.parse(market, maintenance)
        assert repr(text.strip()) in str(error.value)


def test_no_market_hours_at_all() -> None:
    with pytest.raises(SettingsError, match="tt_market_hours"):
        OpenHours.parse([], [])


def test_settings_choose_and_profiles_have_defaults() -> None:
    saturday = central("2025-07-19 12:00")
    aws = {"profile": Profile.AWS, "redis_url": "redis://example.org"}
    assert open_hours(load_settings()).closed_reason(saturday) is None
    assert open_hours(load_settings(**aws)).closed_reason(saturday) == "market closed"
    chosen = load_settings(tt_market_hours=["globex"], tt_maintenance=["Sat 06:00-Sat 12:00"])
    assert open_hours(chosen).closed_reason(saturday) == "market closed"
    with pytest.raises(SettingsError, match="'never'"):
        open_hours(load_settings(tt_market_hours=["never"]))
