"""The assets of a kind of snapshot: raw answers (S3) → latest (Redis) and history (DynamoDB), by
the hour of the slots.

Materialising a partition reads the raw snapshots of the hour and ends in the same state of both
stores, however often; the API is never asked. The slot runs report into the same assets.
"""

from collections.abc import Iterator

import dagster as dg

from trade_assets.defs.shared.hour_assets import IO_MANAGERS, hour_step, out, stored_out
from trade_assets.defs.shared.names import layer_key
from trade_assets.defs.tt.checks import write_check_outcomes, write_check_specs
from trade_assets.io_managers.layers import HISTORY, LATEST, RAW
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.logs import configure_run
from trade_assets.stores.connections import Stores
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.slot_hours import SnapshotHour


def snapshot_assets(
    snapshot: Snapshot, partitions: dg.HourlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The three assets of a kind as one step, each selectable by itself."""

    @dg.multi_asset(
        outs=_outs(snapshot),
        internal_asset_deps=_deps(snapshot),
        check_specs=write_check_specs(snapshot),
        **hour_step(snapshot, partitions),
    )
    def hour(context: dg.AssetExecutionContext) -> Iterator[object]:
        stores: Stores = context.resources.stores
        configure_run(stores.settings, context.run.run_id)
        slots = SnapshotHour(stores, snapshot, context.partition_keys)
        selected = set(context.op_execution_context.selected_output_names)
        figures = slots.look()
        if RAW in selected:
            metadata = dict(figures_metadata(figures, RAW))
            yield dg.Output(None, output_name=RAW, metadata=metadata)
        # Each output is written by its IO manager before the generator goes on.
        for layer in IO_MANAGERS:
            if layer in selected:
                yield dg.Output(slots, output_name=layer)
        if selected.issuperset(IO_MANAGERS):
            slots.account()
        for outcome in write_check_outcomes(figures):
            if outcome.key in context.selected_asset_check_keys:
                yield outcome.as_result()

    return hour


def _outs(snapshot: Snapshot) -> dict[str, dg.AssetOut]:
    raw = f"{snapshot.title}: the answers of the API as they came, one object a half minute."
    newest = "The newest set as a whole" if snapshot.replaced else "Newest record of every key"
    latest = f"{newest} ({snapshot.record_key_is})."
    history = f"Every change by key and event time ({snapshot.event_time_is})."
    return {
        # The objects are in S3 already: nothing is handed on.
        RAW: out(snapshot, RAW, raw, {"s3", *snapshot.kinds}, dagster_type=dg.Nothing),
        LATEST: stored_out(snapshot, LATEST, latest),
        HISTORY: stored_out(snapshot, HISTORY, history),
    }


def _deps(snapshot: Snapshot) -> dict[str, set[dg.AssetKey]]:
    raw = layer_key(snapshot, RAW)
    return {RAW: set(), LATEST: {raw}, HISTORY: {raw}}
