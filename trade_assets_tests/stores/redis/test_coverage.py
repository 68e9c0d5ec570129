"""Covered stretches in a real Redis: any order and any split, bounds, a cluster, late files."""

import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
import redis
from hypothesis import example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Feed
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.feeds.cadence import Gap, find_gaps
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.stores.redis.coverage import KEPT, MOST_INTERVALS, Coverage
from trade_assets_tests.stores.samples import SPOT

START = datetime(2025, 7, 17, 15, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
AHEAD = timedelta(seconds=300)
"""What `Coverage` takes for possible unless it is told otherwise."""

Interval = tuple[datetime, datetime]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def new_feed() -> Feed:
    """A feed that nobody has written to."""
    return replace(SPOT, name=uuid4().hex)


def expected(event_times: Iterable[datetime], join_seconds: float) -> list[Interval]:
    """The stretches of all event times at once."""
    times = sorted(event_times)
    cuts = [
        number
        for number in range(1, len(times))
        if (times[number] - times[number - 1]).total_seconds() > join_seconds
    ]
    parts = [times[start:end] for start, end in pairwise([0, *cuts, len(times)])]
    return [(part[0], part[-1]) for part in parts if part]


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    made = connect(settings)
    yield made
    disconnect(made)


@pytest.fixture
def coverage(client: "redis.Redis") -> Coverage:
    return Coverage(client)


TIMES = (
    st.integers(0, 60).map(at)
    | st.integers(0, 20 * 86_400_000_000).map(lambda micros: START + MICROSECOND * micros)
)  # fmt: skip
CALLS = st.lists(st.lists(TIMES, max_size=5), max_size=8)
JOINS = st.sampled_from([0, 1e-6, 1, 2, 5, 30, 86_400, 86_400 * 5])


@examples(max_examples=150)
@given(CALLS, JOINS)
@example([[at(0), at(10)], [at(5)]], 5)
@example([[at(0), at(10)], [at(5)]], 4.999999)
@example([[at(0)], [at(0) + MICROSECOND]], 0)
def test_any_order_and_any_split_end_in_the_same_stretches(
    coverage: Coverage, calls: list[list[datetime]], join_seconds: float
) -> None:
    feed = new_feed()
    for times in calls:
        coverage.add(feed, times, join_seconds)
    flat = [time for times in calls for time in times]
    assert coverage.intervals(feed) == expected(flat, join_seconds)

    coverage.add(feed, flat[: len(flat) // 2], join_seconds)
    coverage.add(feed, flat, join_seconds)
    assert coverage.intervals(feed) == expected(flat, join_seconds)


def test_feeds_are_apart_and_one_without_files_has_none(coverage: Coverage) -> None:
    one, other = new_feed(), new_feed()
    coverage.add(one, [at(0)], 5)
    coverage.add(replace(other, source=SPOT.source + "2"), [at(1)], 5)
    assert coverage.intervals(one) == [(at(0), at(0))]
    assert coverage.intervals(other) == []


def test_a_late_file_fills_its_gap(coverage: Coverage) -> None:
    feed = new_feed()
    coverage.add(feed, [*map(at, [*range(0, 100, 5), *range(140, 200, 5)])], 30)
    assert find_gaps(coverage.intervals(feed), 5, 30) == [Gap(at(95), at(140), 8)]
    coverage.add(feed, [at(102)], 30)
    assert find_gaps(coverage.intervals(feed), 5, 30) == [Gap(at(102), at(140), 7)]
    coverage.add(feed, [at(120)], 30)
    assert coverage.intervals(feed) == [(at(0), at(195))]


def test_stretches_are_asked_for_with_the_one_before(coverage: Coverage) -> None:
    feed = new_feed()
    stretches = [(at(0), at(5)), (at(20), at(25)), (at(40), at(45))]
    coverage.add(feed, [time for stretch in stretches for time in stretch], 5)
    for since, count in [(-1, 3), (5, 3), (6, 3), (25, 3), (26, 2), (45, 2), (46, 1), (999, 1)]:
        assert coverage.intervals(feed, at(since)) == stretches[-count:], since


def test_a_wider_join_takes_in_the_stretches_it_reaches(coverage: Coverage) -> None:
    feed = new_feed()
    coverage.add(feed, [*map(at, [0, 10, 20, 30, 100])], 1)
    coverage.add(feed, [at(15)], 12)
    assert coverage.intervals(feed) == [(at(0), at(30)), (at(100), at(100))]


def test_only_the_newest_stretches_are_kept(coverage: Coverage, client: "redis.Redis") -> None:
    feed = new_feed()
    newest = [at(10 * number) for number in range(1, MOST_INTERVALS + 1)]
    coverage.add(feed, newest, 5)
    coverage.add(feed, [at(0)], 5)  # late, and too old
    assert coverage.intervals(feed) == expected(newest, 5)
    coverage.add(feed, [at(10 * (MOST_INTERVALS + 1))], 5)
    assert coverage.intervals(feed) == [*expected(newest, 5)[1:], (at(10_010), at(10_010))]
    coverage.add(feed, [*map(at, range(-20_000, 0, 10))], 5)
    assert client.zcard(f"coverage:{feed.source}:{feed.name}") == MOST_INTERVALS


def test_what_ended_too_long_ago_is_forgotten(coverage: Coverage) -> None:
    feed = new_feed()
    newest = START + KEPT
    coverage.add(feed, [START - MICROSECOND, at(600)], 5)
    coverage.add(feed, [START, newest], 0)
    assert [first for first, _ in coverage.intervals(feed)] == [START, at(600), newest]
    coverage.add(feed, [newest + MICROSECOND], 5)
    assert coverage.intervals(feed) == [(at(600), at(600)), (newest, newest + MICROSECOND)]
    coverage.add(feed, [START], 5)
    assert coverage.intervals(feed)[0][0] == at(600)


def test_an_event_time_of_the_future_does_not_drive_out_what_came(coverage: Coverage) -> None:
    feed = new_feed()
    now = datetime.now(UTC)
    slip = datetime(2099, 7, 17, tzinfo=UTC)
    coverage.add(feed, [slip], 5)
    assert coverage.intervals(feed) == []
    coverage.add(feed, [now, slip, now + AHEAD / 2], 5)
    assert coverage.intervals(feed) == expected([now, now + AHEAD / 2], 5)


def test_what_nothing_can_have_covered_yet_goes_with_the_next_file(
    coverage: Coverage, client: "redis.Redis"
) -> None:
    feed, now = new_feed(), datetime.now(UTC)
    patient = Coverage(client, ahead_seconds=1e9)
    patient.add(feed, [now - timedelta(days=40), now, now + 4 * AHEAD], 5)
    assert len(coverage.intervals(feed)) == 2
    coverage.add(feed, [now + timedelta(seconds=3)], 5)
    assert coverage.intervals(feed) == [(now, now + timedelta(seconds=3))]


def test_only_stretches_of_nothing_but_wrong_times_are_taken_back(coverage: Coverage) -> None:
    feed = new_feed()
    wrong = [at(100), at(103), at(106), at(200), at(11)]
    coverage.add(feed, [at(0), at(4), at(8), *wrong, at(203)], 5)
    coverage.take_back(feed, wrong)
    assert coverage.intervals(feed) == [(at(0), at(11)), (at(200), at(203))]
    coverage.take_back(feed, wrong)
    assert coverage.intervals(feed) == [(at(0), at(11)), (at(200), at(203))]


def add_beside_each_other(coverage: Coverage, feed: Feed) -> list[datetime]:
    """Add the same times from four threads, each in an order and in portions of its own."""
    times = [at(second) for second in range(0, 400, 2) if second % 50 < 40]

    def deliver(seed: int) -> None:
        order = random.Random(seed).sample(times, len(times))
        for number in range(0, len(order), seed + 1):
            coverage.add(feed, order[number : number + seed + 1], 5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    return times


def test_adders_beside_each_other_lose_nothing(coverage: Coverage) -> None:
    feed = new_feed()
    times = add_beside_each_other(coverage, feed)
    assert coverage.intervals(feed) == expected(times, 5)


def test_a_cluster_and_a_server_that_forgot_its_scripts(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    coverage, feed = Coverage(client), new_feed()
    times = add_beside_each_other(coverage, feed)
    client.script_flush()
    coverage.add(feed, [at(1000)], 5)
    assert coverage.intervals(feed) == expected([*times, at(1000)], 5)
    disconnect(client)


def test_a_redis_that_is_away_is_a_passing_error_without_the_password(settings: Settings) -> None:
    away = settings.changed(
        {
            "redis_url": type(settings.stores.redis_url)(
                f"redis://:hunter2@127.0.0.1:{free_port()}/0"
            )
        }
    )
    client = connect(away)
    with pytest.raises(StoreUnavailableError) as adding:
        Coverage(client).add(SPOT, [START], 5)
    with pytest.raises(StoreUnavailableError) as reading:
        Coverage(client).intervals(SPOT)
    disconnect(client)
    assert "hunter2" not in f"{adding.value} {reading.value}"


def test_a_reply_of_refusal_is_permanent(coverage: Coverage, client: "redis.Redis") -> None:
    feed = new_feed()
    client.set(f"coverage:{feed.source}:{feed.name}", "not a sorted set")
    with pytest.raises(StoreRejectedError, match="WRONGTYPE"):
        coverage.add(feed, [START], 5)
    with pytest.raises(StoreRejectedError, match="WRONGTYPE"):
        coverage.intervals(feed)
