"""Asset checks of files arriving: `freshness` (is a feed still coming), `gaps` (what is missing).

Both are about time passing. The stream reports them with its figures, the bucket sensor when a feed
goes stale, and each can be run by hand.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg

from trade_assets.datasets.dataset import ParsedDataset
from trade_assets.datasets.keys import FILES
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import FEED_STORES, FRESHNESS_CHECK, GAPS_CHECK
from trade_assets.feeds.feed_status import feed_gaps
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.io_managers.metadata import rows_table
from trade_assets.monitor.freshness import ahead_seconds, freshness_limit, status_time

GAPS_LISTED: Final = 20

Outcome = Callable[[FeedStores, ParsedDataset], CheckOutcome]


def freshness_outcome(stores: FeedStores, feed: ParsedDataset) -> CheckOutcome:
    """Whether a file of the feed was ingested lately, by the feed's status in Redis. How old what
    it says is does not matter (a feed that catches up is not stale), but it cannot be of a time to
    come."""
    limit = freshness_limit(stores.settings, feed)
    status = stores.latest.status(feed)
    metadata: dict[str, Any] = {"limit_seconds": limit}
    age, now, ahead = None, datetime.now(UTC), None
    if "last_ingest_time" in status:
        ingested = datetime.fromisoformat(status["last_ingest_time"])
        age = (now - ingested).total_seconds()
        event = status_time(status.get("last_event_time"))
        ahead = ahead_seconds(stores.settings, feed, now, event, ingested)
        metadata |= {
            "age_seconds": round(age, 3),
            "last_file": status.get("last_file", ""),
            "last_event_time": status.get("last_event_time", ""),
        }
        if event is not None:
            metadata["event_age_seconds"] = round((now - event).total_seconds(), 3)
    return CheckOutcome(
        layer_key(feed, FILES),
        FRESHNESS_CHECK,
        passed=age is not None and age <= limit and ahead is None,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def gaps_outcome(stores: FeedStores, feed: ParsedDataset) -> CheckOutcome:
    """Whether files are missing by the feed's cadence; the newest gaps are listed."""
    days = stores.settings.arrival.gap_days
    now = datetime.now(UTC)
    gaps = feed_gaps(stores.coverage, feed, now - timedelta(days=days), now)
    rows = [
        {
            "from": gap.start.isoformat(),
            "to": "still open" if gap.open else gap.end.isoformat(),
            "files_expected": gap.files_expected,
        }
        for gap in reversed(gaps[-GAPS_LISTED:])
    ]
    return CheckOutcome(
        layer_key(feed, FILES),
        GAPS_CHECK,
        passed=not gaps,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "gaps": len(gaps),
            "files_expected": sum(gap.files_expected for gap in gaps),
            "days_looked_at": days,
            "newest_gaps": rows_table(rows),
        },
    )


def arrival_outcomes(stores: FeedStores, feed: ParsedDataset) -> list[CheckOutcome]:
    """Outcomes of the checks that a feed has."""
    outcomes = [freshness_outcome(stores, feed)]
    if feed.gap_seconds is not None:
        outcomes.append(gaps_outcome(stores, feed))
    return outcomes


def arrival_checks(feed: ParsedDataset) -> list[dg.AssetChecksDefinition]:
    """The checks of a feed, to be run by hand."""
    freshness = f"A file was ingested within {feed.freshness_seconds:g} s (a setting)."
    checks = [_check(feed, FRESHNESS_CHECK, freshness, freshness_outcome)]
    if feed.gap_seconds is not None:
        gaps = (
            f"No silence of more than {feed.gap_seconds:g} s while the market was open "
            "(a warning: late files close a gap)."
        )
        checks.append(_check(feed, GAPS_CHECK, gaps, gaps_outcome))
    return checks


def _check(
    feed: ParsedDataset, name: str, description: str, outcome: Outcome
) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=layer_key(feed, FILES),
        name=name,
        description=description,
        required_resource_keys={FEED_STORES},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return outcome(context.resources.feed_stores, feed).as_result()

    return check
