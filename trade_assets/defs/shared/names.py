"""Names of Dagster objects that more than one module refers to, and of what they are. Grammar:
docs/naming.md."""

from typing import Any, Final

import dagster as dg

from trade_assets.datasets.dataset import Dataset

STREAM_JOB: Final = "feed_stream"
HOUR_JOB: Final = "feed_hours"
BUCKET_SENSOR: Final = "feed_bucket"
MAINTENANCE_JOB: Final = "prune_dagster_storage"
REBUILD_JOB: Final = "redis_rebuild"
REBUILD_SENSOR: Final = "redis_life"
SLOT_JOB: Final = "tt_snapshot"
TAKE_OP: Final = "take_slot"
SLOT_SENSOR: Final = "tt_slots"
HOUR_REPORT_JOB: Final = "tt_hour_report"

FEED_STORES: Final = "feed_stores"
STREAM_STORES: Final = "stream_stores"
QUICK_FEED_STORES: Final = "quick_feed_stores"
TT_STORES: Final = "tt_stores"
SLOT_STORES: Final = "slot_stores"
QUICK_TT_STORES: Final = "quick_tt_stores"
"""The stores of a concern; the quick ones are for sensors and slots, which cannot wait."""

LATEST_IO: Final = "latest_io_manager"
HISTORY_IO: Final = "history_io_manager"
REFERENCE_IO: Final = "reference_io_manager"
TT: Final = "tt"
PARTITIONS_SENSOR: Final = "hour_partitions"
QUIET_HOURS_SENSOR: Final = "quiet_hours"
AUTOMATION_SENSOR: Final = "reference_automation"

SCHEMA_CHECK: Final = "schema"
SYMBOLS_CHECK: Final = "symbols"
GAPS_CHECK: Final = "gaps"
DERIVED_CHECK: Final = "derived"
ROWS_CHECK: Final = "rows_accounted"
QUOTES_CHECK: Final = "quotes"
TICKS_CHECK: Final = "ticks"
FRESHNESS_CHECK: Final = "freshness"

RUN_KIND_TAG: Final = "trade_assets/run_kind"
STREAM_RUNS: Final = "stream"
HOUR_RUNS: Final = "hours"
SLOT_RUNS: Final = "slot"
REPORT_RUNS: Final = "report"
MAINTENANCE_RUNS: Final = "maintenance"
REBUILD_RUNS: Final = "rebuild"
"""Kinds of runs: how many there may be at a time, and how long they are kept, is said by kind."""

SLOT_TAG: Final = "trade_assets/slot"
PRIORITY_TAG: Final = "dagster/priority"


UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""States of runs that Dagster holds for unfinished."""

AssetJob = Any
"""What `define_asset_job` returns; Dagster does not export its type."""


def layer_key(dataset: Dataset, layer: str) -> dg.AssetKey:
    """Asset key `<source>/<name>/<layer>`."""
    return dg.AssetKey([dataset.source, dataset.name, layer])


def op_name(dataset: Dataset) -> str:
    """Name of the op that carries a data set's hour."""
    return f"{dataset.source}__{dataset.name}"
