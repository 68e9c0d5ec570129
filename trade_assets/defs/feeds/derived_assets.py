"""The assets of a derived data set: origin's files → latest (Redis) and history (DynamoDB), by the
hour in which the origin's files landed.

Materialising a partition derives from every file of the hour again, with the inputs as of their
event times, and ends in the same state of both stores. The stream run reports into the same assets.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from trade_assets.datasets.keys import FILES, HISTORY, LATEST, STORED_LAYERS
from trade_assets.defs.feeds.derived_checks import derived_check_spec, derived_outcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.hour_assets import IO_MANAGERS, HourConfig, hour_step, stored_out
from trade_assets.defs.shared.names import FEED_STORES
from trade_assets.feeds.derivation import DerivedHour
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.ingest.impossible import TakeBack
from trade_assets.logs import configure_run


def derived_assets(
    dataset: Derived, partitions: dg.HourlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The two assets of a derived data set as one step, each selectable by itself."""
    spec = derived_check_spec(dataset)

    @dg.multi_asset(
        outs={layer: _out(dataset, layer) for layer in STORED_LAYERS},
        deps=_deps(dataset),
        check_specs=[spec],
        **hour_step(dataset, partitions, FEED_STORES),
    )
    def hour(context: dg.AssetExecutionContext, config: HourConfig) -> Iterator[object]:
        stores: FeedStores = context.resources.feed_stores
        configure_run(stores.settings, context.run.run_id)
        only = frozenset(config.files) or None
        files = HourFiles(stores, dataset.origin, context.partition_keys, only)
        derived = DerivedHour(stores, dataset, files)
        selected = set(context.op_execution_context.selected_output_names)
        figures = derived.look()
        written = [layer for layer in IO_MANAGERS if layer in selected]
        if len(written) == len(IO_MANAGERS):
            TakeBack(stores, dataset, files.results, datetime.now(UTC)).run()
        for layer in written:
            yield dg.Output(derived, output_name=layer)
        for newer in files.rewritten():
            again = DerivedHour(stores, dataset, newer)
            for layer in written:
                getattr(context.resources, IO_MANAGERS[layer]).store(again)
            again.raise_failed()
        derived.raise_failed()
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
