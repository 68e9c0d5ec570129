"""The asset job of the feeds: one or more landing hours, from S3 into both stores."""

import dagster as dg

from trade_assets.defs.names import HOUR_JOB, LAYERS, RUN_KIND_TAG, layer_key, op_name
from trade_assets.feeds.base import Feed
from trade_assets.feeds.registry import FEEDS


def hour_job(partitions: dg.HourlyPartitionsDefinition) -> dg.UnresolvedAssetJobDefinition:
    """The job that carries hours of all feeds; also the fallback where the stream is off."""
    keys = [layer_key(feed, layer) for feed in FEEDS.values() for layer in LAYERS]
    return dg.define_asset_job(
        HOUR_JOB,
        selection=dg.AssetSelection.assets(*keys),
        tags={RUN_KIND_TAG: "hours"},
        description="Re-reads landing hours from S3 and writes both stores; always ends the same.",
    )


def hour_run_request(partition: str, files: dict[str, list[str]], run_key: str) -> dg.RunRequest:
    """Request a run for certain files of one hour; `files` are keys by feed path."""
    feeds = [feed for feed in FEEDS.values() if files.get(feed.path)]
    return dg.RunRequest(
        run_key=run_key,
        partition_key=partition,
        asset_selection=[layer_key(feed, layer) for feed in feeds for layer in LAYERS],
        run_config={
            "ops": {op_name(feed): {"config": {"files": files[feed.path]}} for feed in feeds}
        },
        tags={RUN_KIND_TAG: "hours", "trade_assets/files": str(_count(feeds, files))},
    )


def _count(feeds: list[Feed], files: dict[str, list[str]]) -> int:
    return sum(len(files[feed.path]) for feed in feeds)
