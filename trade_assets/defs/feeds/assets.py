"""The assets of a feed: files → latest (Redis) and history (DynamoDB), by landing hour.

Materialising a partition re-reads every file of the hour from S3 and ends in the same state of both
stores, however often. The stream run reports into the same assets between times.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from trade_assets.defs.feeds.checks import write_check_outcomes, write_check_specs
from trade_assets.defs.feeds.metadata import figures_metadata
from trade_assets.defs.names import (
    FILES,
    HISTORY,
    HISTORY_IO,
    LATEST,
    LATEST_IO,
    LAYERS,
    RUN_KIND_TAG,
    STORES,
    layer_key,
    op_name,
)
from trade_assets.feeds.base import Feed
from trade_assets.stores.bundle import Stores
from trade_assets.streaming.hours import HourFiles
from trade_assets.streaming.rerun import Write, account_hour, follow_rewrites

HOURS_PER_RUN = 24
"""Hours that one run of a backfill carries: a day of a feed a run, so that a failed run repeats a
day and not a year, and a backfill of a month is 30 runs instead of 720."""


IO_MANAGERS = {LATEST: LATEST_IO, HISTORY: HISTORY_IO}
"""The layers that are written, in the order in which they are."""


class HourConfig(dg.Config):
    """What of an hour to read."""

    files: list[str] = Field(
        default_factory=list, description="Keys to ingest; empty: every file of the hour."
    )


def hour_partitions(start: str) -> dg.HourlyPartitionsDefinition:
    """UTC hours from `start` to the current one inclusive, by when a file landed."""
    return dg.HourlyPartitionsDefinition(start_date=start, end_offset=1)


def feed_assets(feed: Feed, partitions: dg.HourlyPartitionsDefinition) -> dg.AssetsDefinition:
    """The three assets of a feed as one step, each selectable by itself."""

    @dg.multi_asset(
        name=op_name(feed),
        outs=_outs(feed),
        internal_asset_deps=_deps(feed),
        check_specs=write_check_specs(feed),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.multi_run(HOURS_PER_RUN),
        can_subset=True,
        required_resource_keys={STORES, *IO_MANAGERS.values()},
        op_tags={RUN_KIND_TAG: "hours"},
    )
    def hour(context: dg.AssetExecutionContext, config: HourConfig) -> Iterator[object]:
        stores: Stores = context.resources.stores
        files = HourFiles(stores, feed, context.partition_keys, frozenset(config.files) or None)
        selected = set(context.op_execution_context.selected_output_names)
        # Each output is written by its IO manager before the generator goes on.
        writes: list[Write] = []
        for layer, io_key in IO_MANAGERS.items():
            if layer in selected:
                yield dg.Output(files, output_name=layer)
                writes.append(getattr(context.resources, io_key).write)
        follow_rewrites(stores, files, tuple(writes))
        if len(writes) == len(IO_MANAGERS):
            account_hour(stores, files, context.run.run_id)
        if FILES in selected:
            if not writes:
                _read_only(files)
            metadata = dict(figures_metadata(files.figures, FILES))
            yield dg.Output(None, output_name=FILES, metadata=metadata)
        for outcome in write_check_outcomes(files.figures, stores):
            if outcome.key in context.selected_asset_check_keys:
                yield outcome.as_result()

    return hour


def _read_only(files: HourFiles) -> None:
    """Read the files for their figures alone."""
    for _ in files.batches():
        pass


def _outs(feed: Feed) -> dict[str, dg.AssetOut]:
    described = {
        FILES: (f"{feed.title}: the files as they landed, by hour.", {"s3", *feed.kinds}),
        LATEST: (f"Newest record of every key ({feed.record_key_is}).", {"redis"}),
        HISTORY: (f"Every record by key and event time ({feed.event_time_is}).", {"dynamodb"}),
    }
    return {
        layer: dg.AssetOut(
            key=layer_key(feed, layer),
            dagster_type=dg.Nothing if layer == FILES else None,
            io_manager_key=IO_MANAGERS.get(layer),
            is_required=False,
            description=described[layer][0],
            kinds=described[layer][1],
            group_name=f"{feed.source}_{feed.name}",
            metadata={"columns": ", ".join(feed.record_schema)} if layer != FILES else {},
        )
        for layer in LAYERS
    }


def _deps(feed: Feed) -> dict[str, set[dg.AssetKey]]:
    files = layer_key(feed, FILES)
    return {FILES: set(), LATEST: {files}, HISTORY: {files}}
