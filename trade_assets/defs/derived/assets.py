"""The assets of a derived data set: origin's files → latest (Redis) and history (DynamoDB), by the
hour in which the origin's files landed.

Materialising a partition derives from every file of the hour again, with the inputs as of their
event times, and ends in the same state of both stores. The stream run reports into the same assets.
"""

from collections.abc import Callable, Iterator

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.defs.derived.checks import derived_check_spec, derived_outcome
from trade_assets.defs.shared.hour_assets import IO_MANAGERS, HourConfig, hour_step, stored_out
from trade_assets.defs.shared.names import layer_key
from trade_assets.feeds.derivation import DerivedHour
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.feeds.rerun import FeedWrite, follow_rewrites
from trade_assets.io_managers.layers import FILES, HISTORY, LATEST, STORED_LAYERS
from trade_assets.logs import configure_run
from trade_assets.stores.connections import Stores


def derived_assets(
    dataset: Derived, partitions: dg.HourlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The two assets of a derived data set as one step, each selectable by itself."""
    spec = derived_check_spec(dataset)

    @dg.multi_asset(
        outs={layer: _out(dataset, layer) for layer in STORED_LAYERS},
        deps=_deps(dataset),
        check_specs=[spec],
        **hour_step(dataset, partitions),
    )
    def hour(context: dg.AssetExecutionContext, config: HourConfig) -> Iterator[object]:
        stores: Stores = context.resources.stores
        configure_run(stores.settings, context.run.run_id)
        only = frozenset(config.files) or None
        files = HourFiles(stores, dataset.origin, context.partition_keys, only)
        derived = DerivedHour(stores, dataset, files)
        selected = set(context.op_execution_context.selected_output_names)
        figures = derived.look()
        writes: list[FeedWrite] = []
        for layer, io_key in IO_MANAGERS.items():
            if layer in selected:
                yield dg.Output(derived, output_name=layer)
                writes.append(_deriving(derived, getattr(context.resources, io_key).write))
        follow_rewrites(stores, files, tuple(writes))
        if spec.key in context.selected_asset_check_keys:
            yield derived_outcome(figures).as_result()

    return hour


def _out(dataset: Derived, layer: str) -> dg.AssetOut:
    every = "Every" if layer == HISTORY else "Newest"
    keyed = f"{every} record by key ({dataset.record_key_is}), from {dataset.origin.path}"
    return stored_out(dataset, layer, f"{dataset.title}. {keyed}.")


def _deps(dataset: Derived) -> list[dg.AssetKey]:
    """The files it is derived from, the histories it looks into, and `latest` where that says
    which records there are."""
    keys = [layer_key(dataset.origin, FILES)]
    for item in dataset.inputs.values():
        keys.append(layer_key(item.feed, HISTORY))
        if item.keys is None:
            keys.append(layer_key(item.feed, LATEST))
    return list(dict.fromkeys(keys))


def _deriving(derived: DerivedHour, write: Callable[[Dataset, pl.DataFrame], object]) -> FeedWrite:
    """A write of the origin's records that writes what is derived from them."""

    def write_derived(_: Feed, records: pl.DataFrame) -> object:
        return write(derived.dataset, derived.compute(records))

    return write_derived
