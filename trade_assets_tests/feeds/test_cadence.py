"""The gaps of feeds around the market's closed hours."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from trade_assets.feeds.cadence import Gap, find_gaps
from trade_assets.market.sessions import TRADING_DAY_SECONDS
from trade_assets.market.trading_days import central_to_utc

MINUTE = timedelta(minutes=1)
HOUR_SECONDS = 3600.0


def central(text: str) -> datetime:
    """UTC time of a Central `2025-07-17 16:00`."""
    utc = central_to_utc(datetime.fromisoformat(text))
    assert utc is not None
    return utc


def points(*texts: str) -> list[tuple[datetime, datetime]]:
    return [(central(text), central(text)) for text in texts]


def gap(start: str, end: str, files_expected: int, still_open: bool = False) -> Gap:
    return Gap(central(start), central(end), files_expected, still_open)


def test_a_daily_feed_misses_nothing_over_weekends_holidays_and_breaks() -> None:
    stretches = points(
        "2025-07-02 16:00", "2025-07-03 16:00", "2025-07-07 16:00", "2025-07-08 16:10"
    )  # fmt: skip
    limit = TRADING_DAY_SECONDS + 2 * HOUR_SECONDS
    assert find_gaps(stretches, TRADING_DAY_SECONDS, limit) == []


def test_a_daily_feed_that_misses_days() -> None:
    stretches = points(
        "2025-07-03 16:00",
        "2025-07-08 15:50",  # the 7th is missing, the 4th is a holiday
        "2025-07-11 16:20",  # the 9th and 10th
        "2025-07-15 16:00",  # Monday the 14th
    )
    limit = TRADING_DAY_SECONDS + 2 * HOUR_SECONDS
    assert find_gaps(stretches, TRADING_DAY_SECONDS, limit) == [
        gap("2025-07-03 16:00", "2025-07-08 15:50", 1),
        gap("2025-07-08 15:50", "2025-07-11 16:20", 2),
        gap("2025-07-11 16:20", "2025-07-15 16:00", 1),
    ]


def test_stretches_end_where_the_market_closes_and_no_gap_is_seen() -> None:
    week = [
        (central(f"2025-07-{day - 1:02} 17:00:05"), central(f"2025-07-{day:02} 15:59:55"))
        for day in (14, 15, 16, 17, 18, 21)
    ]
    assert find_gaps(week, 5, 30) == []
    assert find_gaps(week, 5, 9) == [
        Gap(last, first, 1) for (_, last), (first, _) in pairwise(week)
    ]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(30, None), (31, 5), (40, 7), (42, 7), (43, 8), (600, 119)],
)
def test_files_expected_are_those_of_the_cadence_strictly_between(
    seconds: int, expected: int | None
) -> None:
    start = central("2025-07-17 10:00")
    stretches = [(start - MINUTE, start), (start + timedelta(seconds=seconds),) * 2]
    assert [found.files_expected for found in find_gaps(stretches, 5, 30)] == (
        [] if expected is None else [expected]
    )


def test_a_gap_is_counted_in_open_time_and_is_of_one_file_at_least() -> None:
    stretches = points("2025-07-17 15:30", "2025-07-17 17:30")
    assert find_gaps(stretches, 900, 1800) == [gap("2025-07-17 15:30", "2025-07-17 17:30", 3)]
    assert find_gaps(stretches, 900, 3600) == []
    assert find_gaps(stretches, 36_000, 1800)[0].files_expected == 1


def test_silence_until_now_is_an_open_gap() -> None:
    stretches = points("2025-07-18 15:00")

    def look(now: str) -> list[Gap]:
        return find_gaps(stretches, 1000, 3600, now=central(now))

    assert look("2025-07-18 14:00") == []
    assert look("2025-07-18 16:00") == []
    assert look("2025-07-20 17:00") == []
    assert look("2025-07-20 17:10") == [gap("2025-07-18 15:00", "2025-07-20 17:10", 4, True)]
    assert look("2025-07-20 17:06:40") == [gap("2025-07-18 15:00", "2025-07-20 17:06:40", 3, True)]
    assert find_gaps([], 1000, 3600, now=central("2025-07-20 17:10")) == []


def test_gaps_that_ended_before_are_left_out_and_one_that_spans_is_whole() -> None:
    stretches = points("2025-07-17 08:00", "2025-07-17 09:00", "2025-07-17 10:00")

    def look(since: str) -> list[Gap]:
        return find_gaps(stretches, 600, 1200, since=central(since))

    first = gap("2025-07-17 08:00", "2025-07-17 09:00", 5)
    second = gap("2025-07-17 09:00", "2025-07-17 10:00", 5)
    assert look("2025-07-17 08:59") == [first, second]
    assert look("2025-07-17 09:00") == [second]
    assert look("2025-07-17 10:00") == []
    late = find_gaps(
        stretches, 600, 1200, since=central("2025-07-17 10:00"), now=central("2025-07-17 10:30")
    )
    assert late == [gap("2025-07-17 10:00", "2025-07-17 10:30", 2, True)]
