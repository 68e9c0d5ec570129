"""The gaps of a feed: what its coverage leaves out by its cadence. For checks and for status."""

from datetime import datetime

from trade_assets.datasets.dataset import Feed
from trade_assets.feeds.cadence import Gap, find_gaps
from trade_assets.stores.redis.coverage import Coverage


def feed_gaps(coverage: Coverage, feed: Feed, since: datetime, now: datetime) -> list[Gap]:
    """Gaps that had not ended by `since`, oldest first, with one that is open now. None of a feed
    that has no cadence.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    if feed.cadence_seconds is None or feed.gap_seconds is None:
        return []
    intervals = coverage.intervals(feed, since)
    return find_gaps(intervals, feed.cadence_seconds, feed.gap_seconds, since, now)
