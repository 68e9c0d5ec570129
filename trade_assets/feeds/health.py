"""How a feed is doing by what Redis holds of it: freshness, lag, gaps, unknown columns."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from trade_assets.datasets.dataset import Feed, ParsedDataset
from trade_assets.feeds.cadence import Gap
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.gaps import feed_gaps
from trade_assets.settings import Settings
from trade_assets.stores.connections import Stores


class Freshness(StrEnum):
    """How a feed is doing."""

    OK = "ok"
    STALE = "stale"  # no file was ingested within the feed's limit
    EMPTY = "empty"  # no file was ever ingested
    UNKNOWN = "unknown"  # Redis is away, or its status is not readable


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed by its status in Redis. Times are UTC; None where there is none or it is unknown.

    `age_seconds` is the time since `last_ingest_time`; `lag_seconds` is what the last file took
    from landing to Redis; `limit_seconds` is the age from which on the feed is stale. `gaps` are
    those of the last `gap_days`, oldest first; `unknown_columns` are all that its files ever had
    and the registry does not know.
    """

    feed: str
    freshness: Freshness
    limit_seconds: float
    last_file: str | None = None
    last_event_time: datetime | None = None
    last_ingest_time: datetime | None = None
    age_seconds: float | None = None
    lag_seconds: float | None = None
    record_keys: int | None = None
    gaps: tuple[Gap, ...] | None = None
    unknown_columns: tuple[str, ...] | None = None


def freshness_limit(settings: Settings, feed: ParsedDataset) -> float:
    """Seconds after which a data set without anything new is stale."""
    return settings.arrival.freshness_seconds.get(feed.path, feed.freshness_seconds)


def feed_status(stores: Stores, feed: Feed, now: datetime) -> FeedStatus:
    """A feed as Redis knows it.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    fields = stores.latest.status(feed)
    ingested = _moment(fields.get("last_ingest_time"))
    age = None if ingested is None else (now - ingested).total_seconds()
    limit = freshness_limit(stores.settings, feed)
    return FeedStatus(
        feed=feed.path,
        freshness=_freshness(age, limit, empty=not fields),
        limit_seconds=limit,
        last_file=fields.get("last_file"),
        last_event_time=_moment(fields.get("last_event_time")),
        last_ingest_time=ingested,
        age_seconds=age,
        lag_seconds=_number(fields.get("lag_seconds")),
        record_keys=stores.latest.record_count(feed),
        gaps=tuple(_gaps(stores, feed, now)),
        unknown_columns=tuple(stores.columns.names(feed)),
    )


def _gaps(stores: Stores, feed: Feed, now: datetime) -> list[Gap]:
    since = now - timedelta(days=stores.settings.arrival.gap_days)
    return feed_gaps(stores.coverage, feed, since, now)


def unknown_feeds(settings: Settings) -> tuple[FeedStatus, ...]:
    """All feeds while Redis is away."""
    return tuple(
        FeedStatus(feed.path, Freshness.UNKNOWN, freshness_limit(settings, feed))
        for feed in FEEDS.values()
    )


def _freshness(age: float | None, limit: float, *, empty: bool) -> Freshness:
    if empty:
        return Freshness.EMPTY
    if age is None:
        return Freshness.UNKNOWN
    return Freshness.OK if age <= limit else Freshness.STALE


def freshness_text(feed: FeedStatus) -> str:
    """How fresh a feed is, in words."""
    if feed.freshness is Freshness.EMPTY:
        return "no file yet"
    if feed.freshness is Freshness.STALE and feed.age_seconds is not None:
        limit = f"limit {feed.limit_seconds:g} s"
        return f"stale, the last file came {feed.age_seconds:.0f} s ago ({limit})"
    return f"freshness {feed.freshness}"


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
