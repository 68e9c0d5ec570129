"""The assets of a kind of snapshot: raw answers (S3) → latest (Redis) and history (DynamoDB), by
the hour of the slots.

Materialising a partition reads the raw snapshots of the hour and ends in the same state of both
stores, however often; the API is never asked. The slot runs report into the same assets.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from trade_assets.datasets.keys import RAW
from trade_assets.defs.shared.hour_assets import (
    IO_MANAGERS,
    hour_step,
    parsed_deps,
    parsed_outs,
    say_row_counts,
)
from trade_assets.defs.shared.names import TT_STORES
from trade_assets.defs.tt.checks import write_check_outcomes, write_check_specs
from trade_assets.ingest.impossible import TakeBack
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.logs import configure_run
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets.tt.tt_stores import TtStores


def snapshot_assets(
    snapshot: Snapshot, partitions: dg.HourlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The three assets of a kind as one step, each selectable by itself."""
    newest = "The newest set as a whole" if snapshot.replaced else "Newest record of every key"

    @dg.multi_asset(
        outs=parsed_outs(
            snapshot,
            RAW,
            files="the answers of the API as they came, one object a half minute",
            newest=newest,
            every="Every change",
        ),
        internal_asset_deps=parsed_deps(snapshot, RAW),
        check_specs=write_check_specs(snapshot),
        **hour_step(snapshot, partitions, TT_STORES),
    )
    def hour(context: dg.AssetExecutionContext) -> Iterator[object]:
        stores: TtStores = context.resources.tt_stores
        configure_run(stores.settings, context.run.run_id)
        slots = SnapshotHour(stores, snapshot, context.partition_keys)
        selected = set(context.op_execution_context.selected_output_names)
        figures = slots.look()
        say_row_counts(context, figures.rows_by_partition())
        if RAW in selected:
            metadata = dict(figures_metadata(figures, RAW))
            yield dg.Output(None, output_name=RAW, metadata=metadata)
        if selected.issuperset(IO_MANAGERS):
            TakeBack(stores, snapshot, slots.results, datetime.now(UTC)).run()
        # Each output is written by its IO manager before the generator goes on.
        for layer in IO_MANAGERS:
            if layer in selected:
                yield dg.Output(slots, output_name=layer)
        if selected.issuperset(IO_MANAGERS):
            slots.account()
        slots.raise_failed()
        for outcome in write_check_outcomes(figures):
            if outcome.key in context.selected_asset_check_keys:
                yield outcome.as_result()

    return hour
