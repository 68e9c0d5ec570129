"""Asset checks of the feeds: what each asserts, and its result from figures or from the stores.

`schema`, `rows_accounted` and `quotes` are about data that was just written: a rerun yields them,
the stream reports them. `freshness` is about time passing: the stream says that a feed is fresh,
the bucket sensor that it is not, and it can be run by hand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from trade_assets.defs.names import (
    FRESHNESS_CHECK,
    QUOTES_CHECK,
    ROWS_CHECK,
    SCHEMA_CHECK,
    STORES,
    layer_key,
)
from trade_assets.feeds.base import Feed
from trade_assets.io_managers.base import FILES, HISTORY, LATEST
from trade_assets.io_managers.metadata import rows_table
from trade_assets.stores.bundle import Stores
from trade_assets.stores.overview import freshness_limit
from trade_assets.streaming.report import HourFigures


@dataclass(frozen=True)
class CheckOutcome:
    """Result of one check of one asset."""

    asset_key: dg.AssetKey
    name: str
    passed: bool
    severity: dg.AssetCheckSeverity
    metadata: dict[str, Any]

    @property
    def key(self) -> dg.AssetCheckKey:
        """Key of the check."""
        return dg.AssetCheckKey(self.asset_key, self.name)

    def as_result(self) -> dg.AssetCheckResult:
        """For an asset's or a check's own function."""
        return dg.AssetCheckResult(
            passed=self.passed,
            asset_key=self.asset_key,
            check_name=self.name,
            severity=self.severity,
            metadata=self.metadata,
        )

    def as_evaluation(self) -> dg.AssetCheckEvaluation:
        """For whoever reports about assets from outside (stream run, sensor)."""
        return dg.AssetCheckEvaluation(
            asset_key=self.asset_key,
            check_name=self.name,
            passed=self.passed,
            severity=self.severity,
            metadata=self.metadata,
        )


def write_check_specs(feed: Feed) -> list[dg.AssetCheckSpec]:
    """Specs of the checks on data that was just written."""
    specs = [
        dg.AssetCheckSpec(
            SCHEMA_CHECK,
            asset=layer_key(feed, HISTORY),
            description="Records have exactly the columns and types that the registry declares.",
        ),
        dg.AssetCheckSpec(
            ROWS_CHECK,
            asset=layer_key(feed, HISTORY),
            description="Rows in = rows stored + rows rejected, and the rows of the newest file "
            "are found in DynamoDB.",
        ),
    ]
    if feed.quote_columns is not None:
        specs.append(
            dg.AssetCheckSpec(
                QUOTES_CHECK,
                asset=layer_key(feed, LATEST),
                description="No quote is crossed or negative (a warning: the rows are stored).",
            )
        )
    return specs


def write_check_outcomes(figures: HourFigures, stores: Stores) -> Iterator[CheckOutcome]:
    """Outcomes of the checks on data that was just written."""
    feed = figures.feed
    yield CheckOutcome(
        layer_key(feed, HISTORY),
        SCHEMA_CHECK,
        passed=not figures.schema_problems,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"problems": figures.schema_problems, "partition": figures.partition},
    )
    missing = 0 if figures.sample is None else stores.history.missing(feed, figures.sample)
    balanced = figures.rows_in == figures.rows_stored + figures.rows_rejected
    yield CheckOutcome(
        layer_key(feed, HISTORY),
        ROWS_CHECK,
        passed=balanced and not missing,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "rows_in": figures.rows_in,
            "rows_stored": figures.rows_stored,
            "rows_rejected": figures.rows_rejected,
            "rows_of_newest_file_missing": missing,
            "partition": figures.partition,
        },
    )
    if feed.quote_columns is not None:
        yield _quotes_outcome(figures)


def _quotes_outcome(figures: HourFigures) -> CheckOutcome:
    quotes = figures.quotes
    return CheckOutcome(
        layer_key(figures.feed, LATEST),
        QUOTES_CHECK,
        passed=not quotes.crossed and not quotes.negative,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "crossed": quotes.crossed,
            "negative": quotes.negative,
            "rows": rows_table(quotes.sample),
            "partition": figures.partition,
        },
    )


def freshness_outcome(stores: Stores, feed: Feed) -> CheckOutcome:
    """Whether a file of the feed was ingested lately, by the feed's status in Redis."""
    limit = freshness_limit(stores.settings, feed)
    status = stores.latest.status(feed)
    metadata: dict[str, Any] = {"limit_seconds": limit}
    age = None
    if "last_ingest_time" in status:
        ingested = datetime.fromisoformat(status["last_ingest_time"])
        age = (datetime.now(UTC) - ingested).total_seconds()
        metadata |= {
            "age_seconds": round(age, 3),
            "last_file": status.get("last_file", ""),
            "last_event_time": status.get("last_event_time", ""),
        }
    return CheckOutcome(
        layer_key(feed, FILES),
        FRESHNESS_CHECK,
        passed=age is not None and age <= limit,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def freshness_check(feed: Feed) -> dg.AssetChecksDefinition:
    """The freshness check of a feed, to be run by hand."""

    @dg.asset_check(
        asset=layer_key(feed, FILES),
        name=FRESHNESS_CHECK,
        description=f"A file was ingested within {feed.freshness_seconds:g} s (a setting).",
        required_resource_keys={STORES},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return freshness_outcome(context.resources.stores, feed).as_result()

    return check
