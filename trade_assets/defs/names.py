"""Names of Dagster objects that more than one module refers to. Grammar: docs/naming.md."""

from typing import Final

import dagster as dg

from trade_assets.feeds.base import Feed

STREAM_JOB: Final = "feed_stream"
HOUR_JOB: Final = "feed_hours"
BUCKET_SENSOR: Final = "feed_bucket"
MAINTENANCE_JOB: Final = "prune_dagster_storage"

STORES: Final = "stores"
LATEST_IO: Final = "latest_io_manager"
HISTORY_IO: Final = "history_io_manager"

SCHEMA_CHECK: Final = "schema"
ROWS_CHECK: Final = "rows_accounted"
QUOTES_CHECK: Final = "quotes"
FRESHNESS_CHECK: Final = "freshness"

RUN_KIND_TAG: Final = "trade_assets/run_kind"


def layer_key(feed: Feed, layer: str) -> dg.AssetKey:
    """Asset key `<source>/<feed>/<layer>`."""
    return dg.AssetKey([feed.source, feed.name, layer])


def op_name(feed: Feed) -> str:
    """Name of the op that carries a feed's hour."""
    return f"{feed.source}__{feed.name}"
