"""The assets of a feed: files → latest (Redis) and history (DynamoDB), by landing hour.

Materialising a partition re-reads every file of the hour from S3 and ends in the same state of both
stores, however often. The stream run reports into the same assets between times.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import FILES
from trade_assets.defs.feeds.checks import write_check_outcomes, write_check_specs
from trade_assets.defs.shared.hour_assets import (
    IO_MANAGERS,
    HourConfig,
    hour_step,
    parsed_deps,
    parsed_outs,
    say_row_counts,
)
from trade_assets.defs.shared.names import FEED_STORES
from trade_assets.feeds.derivation import derive_beside
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.ingest.impossible import TakeBack
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.logs import configure_run


def feed_assets(feed: Feed, partitions: dg.HourlyPartitionsDefinition) -> dg.AssetsDefinition:
    """The three assets of a feed as one step, each selectable by itself."""

    @dg.multi_asset(
        outs=parsed_outs(
            feed,
            FILES,
            files="the files as they landed, by hour",
            newest="Newest record of every key",
            every="Every change" if feed.pictures else "Every record",
        ),
        internal_asset_deps=parsed_deps(feed, FILES),
        check_specs=write_check_specs(feed),
        **hour_step(feed, partitions, FEED_STORES),
    )
    def hour(context: dg.AssetExecutionContext, config: HourConfig) -> Iterator[object]:
        stores: FeedStores = context.resources.feed_stores
        configure_run(stores.settings, context.run.run_id)
        files = HourFiles(stores, feed, context.partition_keys, frozenset(config.files) or None)
        selected = set(context.op_execution_context.selected_output_names)
        figures = files.look()
        say_row_counts(context, files.hour_rows())
        if FILES in selected:
            metadata = dict(figures_metadata(figures, FILES))
            yield dg.Output(None, output_name=FILES, metadata=metadata)
        written = [layer for layer in IO_MANAGERS if layer in selected]
        if len(written) == len(IO_MANAGERS):
            TakeBack(stores, feed, files.results, datetime.now(UTC)).run()
        # Each output is written by its IO manager before the generator goes on.
        for layer in written:
            yield dg.Output(files, output_name=layer)
        for newer in files.rewritten():
            for layer in written:
                getattr(context.resources, IO_MANAGERS[layer]).store(newer)
        if len(written) == len(IO_MANAGERS):
            derive_beside(stores, files)
            files.account(context.run.run_id)
        files.raise_failed()
        for outcome in write_check_outcomes(figures, stores):
            if outcome.key in context.selected_asset_check_keys:
                yield outcome.as_result()

    return hour
