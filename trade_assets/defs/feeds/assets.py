"""The assets of a feed: files → latest (Redis) and history (DynamoDB), by landing hour.

Materialising a partition re-reads every file of the hour from S3 and ends in the same state of both
stores, however often. The stream run reports into the same assets between times.
"""

from collections.abc import Iterator

import dagster as dg

from trade_assets.datasets.dataset import Feed
from trade_assets.defs.feeds.checks import write_check_outcomes, write_check_specs
from trade_assets.defs.shared.hour_assets import IO_MANAGERS, HourConfig, hour_step, out, stored_out
from trade_assets.defs.shared.names import layer_key
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.feeds.rerun import FeedWrite, account_hour, follow_rewrites
from trade_assets.io_managers.layers import FILES, HISTORY, LATEST
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.logs import configure_run
from trade_assets.stores.connections import Stores


def feed_assets(feed: Feed, partitions: dg.HourlyPartitionsDefinition) -> dg.AssetsDefinition:
    """The three assets of a feed as one step, each selectable by itself."""

    @dg.multi_asset(
        outs=_outs(feed),
        internal_asset_deps=_deps(feed),
        check_specs=write_check_specs(feed),
        **hour_step(feed, partitions),
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
        writes: list[FeedWrite] = []
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
    files = f"{feed.title}: the files as they landed, by hour."
    latest = f"Newest record of every key ({feed.record_key_is})."
    history = f"Every record by key and event time ({feed.event_time_is})."
    return {
        # The files are in S3 already: nothing is handed on.
        FILES: out(feed, FILES, files, {"s3", *feed.kinds}, dagster_type=dg.Nothing),
        LATEST: stored_out(feed, LATEST, latest),
        HISTORY: stored_out(feed, HISTORY, history),
    }


def _deps(feed: Feed) -> dict[str, set[dg.AssetKey]]:
    files = layer_key(feed, FILES)
    return {FILES: set(), LATEST: {files}, HISTORY: {files}}
