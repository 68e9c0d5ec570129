"""The asset job of the feeds and what is derived from them: landing hours, into both stores."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import dagster as dg

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import LAYERS, STORED_LAYERS
from trade_assets.defs.shared.dagster_terms import AssetJob, layer_key, op_name
from trade_assets.defs.shared.names import HOUR_JOB, HOUR_RUNS, RUN_KIND_TAG
from trade_assets.feeds.datasets import FEEDS, derived_from

# Dagster's own tags of a run over a range of partitions (a backfill sets the same ones).
RANGE_START_TAG: Final = "dagster/asset_partition_range_start"
RANGE_END_TAG: Final = "dagster/asset_partition_range_end"


def hour_job() -> AssetJob:
    """The job that carries hours of all feeds; also the fallback where the stream is off."""
    return dg.define_asset_job(
        HOUR_JOB,
        selection=dg.AssetSelection.assets(*_keys(FEEDS.values())),
        tags={RUN_KIND_TAG: HOUR_RUNS},
        description="Re-reads landing hours from S3 and writes both stores; always ends the same.",
    )


def hour_run_request(
    hours: Sequence[str], files: Mapping[str, list[str]], run_key: str
) -> dg.RunRequest:
    """Request one run for certain files of hours that follow on each other.

    `hours` are partition keys in order; `files` are keys of the bucket by feed path.
    """
    feeds = [feed for feed in FEEDS.values() if files.get(feed.path)]
    config = {
        op_name(item): {"config": {"files": files[feed.path]}}
        for feed in feeds
        for item in (feed, *derived_from(feed))
    }
    several = len(hours) > 1
    tags = {RUN_KIND_TAG: HOUR_RUNS, "trade_assets/files": str(sum(map(len, files.values())))}
    if several:
        tags |= {RANGE_START_TAG: hours[0], RANGE_END_TAG: hours[-1]}
    return dg.RunRequest(
        run_key=run_key,
        job_name=HOUR_JOB,
        partition_key=None if several else hours[0],
        asset_selection=_keys(feeds),
        run_config={"ops": config},
        tags=tags,
    )


def _keys(feeds: Iterable[Feed]) -> list[dg.AssetKey]:
    """All assets of feeds, and of what is derived from them."""
    keys = []
    for feed in feeds:
        keys += [layer_key(feed, layer) for layer in LAYERS]
        keys += [layer_key(item, name) for item in derived_from(feed) for name in STORED_LAYERS]
    return keys
