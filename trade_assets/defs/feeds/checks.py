"""Asset checks of the feeds on data that was just written: a rerun yields them, the stream reports
them. Checks of time passing are in `arrival_checks`.
"""

from collections.abc import Iterator
from typing import Final

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import HISTORY, LATEST
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import QUOTES_CHECK, ROWS_CHECK, SCHEMA_CHECK, SYMBOLS_CHECK
from trade_assets.defs.shared.written_checks import (
    schema_outcome,
    symbols_outcome,
    ticks_outcomes,
    ticks_specs,
)
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.ingest.figures import FileFigures
from trade_assets.io_managers.metadata import rows_table

ROWS_LOOKED_UP: Final = 500
"""Rows of the newest file that are looked up in DynamoDB: 5 requests. A file can have 35,000."""


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
            description="Rows in = rows stored + rows unchanged + rows rejected, and rows of the "
            f"newest file (at most {ROWS_LOOKED_UP}) are found in DynamoDB.",
        ),
        dg.AssetCheckSpec(
            SYMBOLS_CHECK,
            asset=layer_key(feed, HISTORY),
            description="Every row's symbol is translated (a warning: the rows are stored under "
            "their own names).",
        ),
        *ticks_specs(feed),
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


def write_check_outcomes(figures: FileFigures, stores: FeedStores) -> Iterator[CheckOutcome]:
    """Outcomes of the checks on data that was just written."""
    feed = figures.dataset
    yield schema_outcome(figures)
    yield _rows_outcome(figures, stores)
    yield symbols_outcome(figures)
    yield from ticks_outcomes(figures)
    if feed.quote_columns is not None:
        yield _quotes_outcome(figures)


def _rows_outcome(figures: FileFigures, stores: FeedStores) -> CheckOutcome:
    feed, missing = figures.dataset, 0
    if figures.sample is not None:
        missing = stores.history.missing(feed, _some_rows(figures.sample))
    balanced = figures.rows_in == figures.rows_stored + figures.rows_rejected
    unchanged = {"rows_unchanged": figures.rows_unchanged} if feed.pictures else {}
    return CheckOutcome(
        layer_key(feed, HISTORY),
        ROWS_CHECK,
        passed=balanced and not missing,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "rows_in": figures.rows_in,
            "rows_stored": figures.rows_stored - figures.rows_unchanged,
            **unchanged,
            "rows_rejected": figures.rows_rejected,
            "duplicates": figures.duplicates,
            "rows_of_newest_file_missing": missing,
            "partition": figures.partition,
        },
    )


def _some_rows(records: pl.DataFrame) -> pl.DataFrame:
    """Rows spread over the whole file, few enough to be looked up at every report."""
    return records.gather_every(-(-records.height // ROWS_LOOKED_UP) or 1)


def _quotes_outcome(figures: FileFigures) -> CheckOutcome:
    quotes = figures.quotes
    return CheckOutcome(
        layer_key(figures.dataset, LATEST),
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
