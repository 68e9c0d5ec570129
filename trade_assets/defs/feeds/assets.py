"""The assets of a feed: files → latest (Redis) and history (DynamoDB), by landing hour.

Materialising a partition re-reads every file of the hour from S3 and ends in the same state of both
stores, however often. The stream run reports into the same assets between times.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from trade_assets.defs.feeds.checks import write_check_outcomes, write_check_specs
from trade_assets.defs.names import HISTORY_IO, LATEST_IO, RUN_KIND_TAG, STORES, layer_key, op_name
from trade_assets.feeds.base import Feed
from trade_assets.io_managers.base import FILES, HISTORY, LATEST, LAYERS
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.logs import configure_run
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
        configure_run(stores.settings, context.run.run_id)
        files = HourFiles(stores, feed, context.partition_keys, frozenset(config.files) or None)
        selected = set(context.op_execution_context.selected_output_names)
        figures = files.look()
        if FILES in selected:
            metadata = dict(figures_metadata(figures, FILES))
            yield dg.Output(None, output_name=FILES, metadata=metadata)
        # Each output is written by its IO manager before the generator goes on.
        writes: list[Write] = []
        for layer, io_key in IO_MANAGERS.items():
            if layer in selected:
                yield dg.Output(files, output_name=layer)
                writes.append(getattr(context.resources, io_key).write)
        follow_rewrites(stores, files, tuple(writes))
        if len(writes) == len(IO_MANAGERS):
            account_hour(stores, files, context.run.run_id)
        for outcome in write_check_outcomes(figures, stores):
            if outcome.key in context.selected_asset_check_keys:
                yield outcome.as_result()

    return hour


def _outs(feed: Feed) -> dict[str, dg.AssetOut]:
    titles = {
        FILES: f"{feed.title}: the files as they landed, by hour.",
        LATEST: f"Newest record of every key ({feed.record_key_is}).",
        HISTORY: f"Every record by key and event time ({feed.event_time_is}).",
    }
    kinds = {FILES: {"s3", *feed.kinds}, LATEST: {"redis"}, HISTORY: {"dynamodb"}}
    return {
        layer: dg.AssetOut(
            key=layer_key(feed, layer),
            is_required=False,
            description=titles[layer],
            kinds=kinds[layer],
            group_name=f"{feed.source}_{feed.name}",
            **_how_stored(feed, layer),
        )
        for layer in LAYERS
    }


def _how_stored(feed: Feed, layer: str) -> dict[str, Any]:
    """The files are in S3 already: nothing is handed on; the other layers are written."""
    if layer == FILES:
        return {"dagster_type": dg.Nothing}
    columns = [dg.TableColumn(name, str(dtype)) for name, dtype in feed.record_schema.items()]
    return {
        "io_manager_key": IO_MANAGERS[layer],
        "metadata": {"dagster/column_schema": dg.TableSchema(columns)},
    }


def _deps(feed: Feed) -> dict[str, set[dg.AssetKey]]:
    files = layer_key(feed, FILES)
    return {FILES: set(), LATEST: {files}, HISTORY: {files}}
