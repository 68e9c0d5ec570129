"""How a feed is doing by what Redis holds of it: freshness, lag, gaps, unknown columns."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from trade_assets.datasets.dataset import ParsedDataset
from trade_assets.feeds.cadence import Gap, find_gaps
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.monitor.freshness import (
    Freshness,
    ahead_seconds,
    freshness_limit,
    status_time,
)
from trade_assets.settings import Settings
from trade_assets.stores.redis.coverage import Coverage


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed by its status in Redis. Times are UTC; None where there is none or it is unknown.

    `age_seconds` is the time since `last_ingest_time`, whatever that file was about, and decides
    how fresh the feed is; `event_age_seconds` is the time since the newest event, with which a feed
    that catches up is behind; `lag_seconds` is what the last file took
    from landing to Redis; `limit_seconds` is the age from which on the feed is stale. `gaps` are
    those of the last `gap_days`, oldest first; `unknown_columns` are all that its files ever had
    and the registry does not know. `ahead_seconds` is how far its times are ahead of the clock, if
    they are so far that a clock was wrong.
    """

    feed: str
    freshness: Freshness
    limit_seconds: float
    last_file: str | None = None
    last_event_time: datetime | None = None
    last_ingest_time: datetime | None = None
    age_seconds: float | None = None
    event_age_seconds: float | None = None
    lag_seconds: float | None = None
    ahead_seconds: float | None = None
    record_keys: int | None = None
    gaps: tuple[Gap, ...] | None = None
    unknown_columns: tuple[str, ...] | None = None


def feed_status(stores: FeedStores, feed: ParsedDataset, now: datetime) -> FeedStatus:
    """A feed as Redis knows it.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    fields = stores.latest.status(feed)
    ingested = status_time(fields.get("last_ingest_time"))
    age = None if ingested is None else (now - ingested).total_seconds()
    event = status_time(fields.get("last_event_time"))
    limit = freshness_limit(stores.settings, feed)
    ahead = ahead_seconds(stores.settings, feed, now, event, ingested)
    since = now - timedelta(days=stores.settings.arrival.gap_days)
    return FeedStatus(
        feed=feed.path,
        freshness=Freshness.AHEAD if ahead else _freshness(age, limit, empty=not fields),
        ahead_seconds=ahead,
        limit_seconds=limit,
        last_file=fields.get("last_file"),
        last_event_time=event,
        event_age_seconds=None if event is None else (now - event).total_seconds(),
        last_ingest_time=ingested,
        age_seconds=age,
        lag_seconds=_number(fields.get("lag_seconds")),
        record_keys=stores.latest.record_count(feed),
        gaps=tuple(feed_gaps(stores.coverage, feed, since, now)),
        unknown_columns=tuple(stores.unknown_columns.names(feed)),
    )


def feed_gaps(coverage: Coverage, feed: ParsedDataset, since: datetime, now: datetime) -> list[Gap]:
    """Gaps that had not ended by `since`, oldest first, with one that is open now. None of a feed
    that has no cadence.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    if feed.cadence_seconds is None or feed.gap_seconds is None:
        return []
    intervals = coverage.intervals(feed, since)
    return find_gaps(intervals, feed.cadence_seconds, feed.gap_seconds, since, now)


def unknown_feeds(settings: Settings) -> tuple[FeedStatus, ...]:
    """All feeds while Redis is away."""
    return tuple(
        FeedStatus(feed.path, Freshness.UNKNOWN, freshness_limit(settings, feed))
        for feed in FEEDS.values()
    )


def freshness_text(feed: FeedStatus) -> str:
    """How fresh a feed is, in words."""
    if feed.ahead_seconds is not None:
        by = f"its newest time is {feed.ahead_seconds:.0f} s ahead of the clock"
        return f"{by}; the next file puts it right, or a rerun of the hour of {feed.last_file}"
    if feed.freshness is Freshness.EMPTY:
        return "no file yet"
    if feed.freshness is Freshness.STALE and feed.age_seconds is not None:
        limit = f"limit {feed.limit_seconds:g} s"
        return f"stale, the last file came {feed.age_seconds:.0f} s ago ({limit})"
    return f"freshness {feed.freshness}"


def _freshness(age: float | None, limit: float, *, empty: bool) -> Freshness:
    if empty:
        return Freshness.EMPTY
    if age is None:
        return Freshness.UNKNOWN
    return Freshness.OK if age <= limit else Freshness.STALE


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
