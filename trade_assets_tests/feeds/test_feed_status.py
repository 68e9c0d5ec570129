"""How a feed is doing by a real Redis: freshness, gaps (late files close them), unknown columns."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.datasets.dataset import Feed
from trade_assets.defs.feeds.arrival_checks import freshness_outcome
from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.cadence import Gap
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.feed_status import (
    feed_gaps,
    feed_status,
    freshness_text,
    unknown_feeds,
)
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.monitor.freshness import Freshness, freshness_limit
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets_tests.stores.samples import FILLS, SPOT, raw_redis, records, spot_key
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

START = datetime(2025, 7, 17, 15, 0, tzinfo=UTC)  # a Thursday, 10:00 Central: the market is open
GAP_SECONDS = 15
"""`gap_seconds` of spot risk, whose files come every second."""


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    with Stores(settings) as opened:
        yield opened


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def cover(stores: Stores, feed: Feed, seconds: Iterable[float]) -> None:
    """Note files of these event times, as ingest does."""
    stores.coverage.add(feed, [at(second) for second in seconds], feed.gap_seconds or 1)


def gaps(stores: Stores, since: float, now: float, feed: Feed = SPOT) -> list[Gap]:
    return feed_gaps(stores.coverage, feed, at(since), at(now))


def ingested(stores: Stores, feed: Feed, seconds: float) -> None:
    """A file of a feed comes at a time; it was true a second before."""
    stores.latest.write_status(feed, spot_key(0), at(seconds - 1), at(seconds), 0.052)


def test_these_tests_are_of_the_cadence_they_say() -> None:
    assert (SPOT.cadence_seconds, SPOT.gap_seconds) == (1.0, float(GAP_SECONDS))


def test_a_silence_is_a_gap_and_late_files_close_it(stores: Stores) -> None:
    cover(stores, SPOT, [*range(60), *range(100, 160)])
    assert gaps(stores, 0, 160) == [Gap(at(59), at(100), 40)]
    cover(stores, SPOT, [70])
    assert gaps(stores, 0, 160) == [Gap(at(70), at(100), 29)]
    cover(stores, SPOT, [85])
    assert gaps(stores, 0, 160) == []


def test_a_silence_up_to_the_limit_is_none(stores: Stores) -> None:
    cover(stores, SPOT, [0, GAP_SECONDS])
    assert gaps(stores, 0, GAP_SECONDS * 2) == []
    cover(stores, SPOT, [GAP_SECONDS * 2 + 0.001])
    assert gaps(stores, 0, GAP_SECONDS * 3) == [
        Gap(at(GAP_SECONDS), at(GAP_SECONDS * 2 + 0.001), GAP_SECONDS - 1)
    ]


def test_a_silence_up_to_now_is_an_open_gap_until_a_file_comes(stores: Stores) -> None:
    cover(stores, SPOT, range(60))
    assert gaps(stores, 0, 74) == []
    assert gaps(stores, 0, 79) == [Gap(at(59), at(79), 19, open=True)]
    cover(stores, SPOT, [80])
    assert gaps(stores, 0, 81) == [Gap(at(59), at(80), 20)]


def test_gaps_that_had_ended_are_left_out_and_one_that_spans_the_bound_is_whole(
    stores: Stores,
) -> None:
    cover(stores, SPOT, [0, 100, 200, 210])
    first, second = Gap(at(0), at(100), 99), Gap(at(100), at(200), 99)
    assert gaps(stores, 99, 210) == [first, second]
    assert gaps(stores, 100, 210) == [second]
    assert gaps(stores, 199, 210) == [second]
    assert gaps(stores, 200, 210) == []
    assert gaps(stores, 5000, 6000) == [Gap(at(210), at(6000), 5789, open=True)]


def test_while_the_market_is_closed_nothing_is_missing(stores: Stores) -> None:
    friday, sunday = datetime(2025, 7, 18, 21, tzinfo=UTC), datetime(2025, 7, 20, 22, tzinfo=UTC)
    closes, opens = ((moment - START).total_seconds() for moment in (friday, sunday))
    cover(stores, SPOT, [closes - 5])
    assert gaps(stores, 0, opens) == []
    assert gaps(stores, 0, opens + 20) == [Gap(at(closes - 5), at(opens + 20), 24, open=True)]
    cover(stores, SPOT, [opens + 5])
    assert gaps(stores, 0, opens + 6) == []


def test_a_feed_without_files_has_no_gap(stores: Stores) -> None:
    assert gaps(stores, 0, 86_400) == []


def test_a_feed_without_a_cadence_has_no_gap(stores: Stores) -> None:
    assert FILLS.cadence_seconds is None
    cover(stores, FILLS, [0, 40_000])
    assert gaps(stores, 0, 80_000, FILLS) == []
    assert feed_status(stores, FILLS, at(80_000)).gaps == ()


def test_feeds_are_apart(stores: Stores) -> None:
    cover(stores, SPOT, [0])
    cover(stores, VTEXP, [0])
    assert gaps(stores, 0, 1000, VTEXP) == []
    assert gaps(stores, 0, 2500, VTEXP) == [Gap(at(0), at(2500), 2, open=True)]
    assert gaps(stores, 0, 1000) == [Gap(at(0), at(1000), 999, open=True)]


def test_status_of_a_feed_that_is_doing_well(stores: Stores) -> None:
    ingested(stores, SPOT, 10)
    stores.latest.write(
        SPOT,
        records(
            SPOT,
            (
                {"record_key": key, "event_time": at(9), "file_key": spot_key(0)}
                for key in ("A", "B", "C")
            ),
        ),
    )
    cover(stores, SPOT, [9])
    found = feed_status(stores, SPOT, at(12.5))
    assert (found.feed, found.freshness) == ("actant/spot_risk", Freshness.OK)
    assert (found.last_file, found.last_event_time) == (spot_key(0), at(9))
    assert (found.last_ingest_time, found.age_seconds, found.lag_seconds) == (at(10), 2.5, 0.052)
    assert found.record_keys == 3
    assert (found.gaps, found.unknown_columns) == ((), ())


def test_freshness_turns_at_the_limit_of_the_feed_or_of_a_setting(
    stores: Stores, settings: Settings
) -> None:
    assert feed_status(stores, SPOT, START).freshness is Freshness.EMPTY
    ingested(stores, SPOT, 0)
    limit = SPOT.freshness_seconds
    assert feed_status(stores, SPOT, at(limit)).freshness is Freshness.OK
    stale = feed_status(stores, SPOT, at(limit + 1))
    assert stale.freshness is Freshness.STALE
    assert freshness_text(stale) == "stale, the last file came 31 s ago (limit 30 s)"
    wider = settings.changed({"freshness_seconds": {SPOT.path: limit + 1}})
    with Stores(wider) as others:
        assert feed_status(others, SPOT, at(limit + 1)).freshness is Freshness.OK
        assert freshness_limit(wider, FILLS) == FILLS.freshness_seconds


def test_a_feed_that_catches_up_is_not_stale_and_says_how_far_it_is_behind(stores: Stores) -> None:
    ingested(stores, SPOT, 0)
    stores.latest.write_status(SPOT, spot_key(0), at(-500), at(600), 1100.0)
    found = feed_status(stores, SPOT, at(602))
    assert found.freshness is Freshness.OK
    assert (found.age_seconds, found.event_age_seconds, found.lag_seconds) == (2, 603, 1100.0)
    now, patient = datetime.now(UTC), {"freshness_seconds": {SPOT.path: 86_400.0}}
    stores.latest.write_status(SPOT, spot_key(0), at(-400), now, 1.0)
    with Stores(stores.settings.changed(patient)) as others:
        outcome = freshness_outcome(others, SPOT)
    assert outcome.passed
    assert outcome.metadata["event_age_seconds"] > outcome.metadata["limit_seconds"]


def test_gaps_of_a_status_are_those_of_the_days_that_are_asked_for(
    stores: Stores, settings: Settings
) -> None:
    cover(stores, SPOT, [0, 100, *range(110, 86_400, 10), 86_500])
    now = 86_510
    today, yesterday = Gap(at(86_390), at(86_500), 109), Gap(at(0), at(100), 99)
    assert feed_status(stores, SPOT, at(now)).gaps == (yesterday, today)
    day = settings.changed({"gap_days": 1.0})
    with Stores(day) as others:
        assert feed_status(others, SPOT, at(now)).gaps == (today,)


def test_unknown_columns_show_sorted(stores: Stores) -> None:
    stores.unknown_columns.note(SPOT, ["VEGA", "DELTA"])
    assert feed_status(stores, SPOT, START).unknown_columns == ("DELTA", "VEGA")
    assert feed_status(stores, FILLS, START).unknown_columns == ()


def test_a_damaged_status_is_unknown_and_not_an_error(stores: Stores, settings: Settings) -> None:
    with raw_redis(settings) as client:
        client.hset(
            "status:actant:spot_risk",
            mapping={"last_ingest_time": "soon", "lag_seconds": "short", "last_file": "x"},
        )
    found = feed_status(stores, SPOT, START)
    assert (found.freshness, found.last_file) == (Freshness.UNKNOWN, "x")
    assert (found.last_ingest_time, found.age_seconds, found.lag_seconds) == (None, None, None)


def test_all_feeds_are_unknown_while_redis_is_away(settings: Settings) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    away = settings.changed({"redis_url": type(settings.stores.redis_url)(url)})
    with FeedStores.open(away, patient=False) as stores:
        with pytest.raises(StoreUnavailableError):
            feed_status(stores, SPOT, START)
        with pytest.raises(StoreUnavailableError):
            feed_gaps(stores.coverage, SPOT, at(0), at(1))
    assert [(feed.feed, feed.freshness) for feed in unknown_feeds(away)] == [
        (path, Freshness.UNKNOWN) for path in FEEDS
    ]
