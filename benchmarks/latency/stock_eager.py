"""The stock pipeline with a sensor that looks as often as Dagster's daemon can: every 5 s."""

import dagster as dg

from benchmarks.latency.stock_pipeline import build_stock_definitions


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    return build_stock_definitions(interval_seconds=1)
