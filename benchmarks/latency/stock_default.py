"""The stock pipeline with all of Dagster's defaults: its sensor looks every 30 s."""

import dagster as dg

from benchmarks.latency.stock_pipeline import build_stock_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_stock_definitions(interval_seconds=None)
