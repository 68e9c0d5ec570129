"""What the assets by hour have in common: partitions, configuration, and their layers."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg
from pydantic import Field

from trade_assets.datasets.dataset import Dataset, ParsedDataset
from trade_assets.datasets.keys import HISTORY, LATEST
from trade_assets.defs.shared.dagster_terms import layer_key, op_name
from trade_assets.defs.shared.names import HISTORY_IO, HOUR_RUNS, LATEST_IO, RUN_KIND_TAG
from trade_assets.io_managers.metadata import ROW_COUNT

HOURS_PER_RUN: Final = 24
"""Hours that one run of a backfill carries: a day of a feed a run, so that a failed run repeats a
day and not a year, and a backfill of a month is 30 runs instead of 720."""

IO_MANAGERS: Final = {LATEST: LATEST_IO, HISTORY: HISTORY_IO}
"""The layers that are written, in the order in which they are."""


class HourConfig(dg.Config):
    """What of an hour to read."""

    files: list[str] = Field(
        default_factory=list, description="Keys to ingest; empty: every file of the hour."
    )


def hour_step(
    dataset: Dataset, partitions: dg.HourlyPartitionsDefinition, stores: str
) -> dict[str, Any]:
    """What the step of a data set's hour has whatever it does, for `dg.multi_asset`: layers are
    selectable by themselves, and a backfill takes a day of hours a run. `stores` is the key of the
    concern's stores."""
    return {
        "name": op_name(dataset),
        "partitions_def": partitions,
        "backfill_policy": dg.BackfillPolicy.multi_run(HOURS_PER_RUN),
        "can_subset": True,
        "required_resource_keys": {stores, *IO_MANAGERS.values()},
        "op_tags": {RUN_KIND_TAG: HOUR_RUNS},
    }


def parsed_outs(
    dataset: ParsedDataset, first: str, *, files: str, newest: str, every: str
) -> dict[str, dg.AssetOut]:
    """The layers of a data set that is read from files: `first` (the files), and the stored ones.

    Args:
        files, newest, every: what the layers are, for people; the keys and times are added.
    """
    return {
        # The files are in S3 already: nothing is handed on.
        first: _out(
            dataset,
            first,
            f"{dataset.title}: {files}.",
            {"s3", *dataset.kinds},
            dagster_type=dg.Nothing,
        ),
        LATEST: stored_out(dataset, LATEST, f"{newest} ({dataset.record_key_is})."),
        HISTORY: stored_out(
            dataset, HISTORY, f"{every} by key and event time ({dataset.event_time_is})."
        ),
    }


def say_row_counts(context: dg.AssetExecutionContext, rows: Mapping[str, int]) -> None:
    """Have the materialisations of a run say how many rows each hour has, by partition: what is
    yielded with an output is about all hours of the run."""
    for key in context.selected_asset_keys:
        for partition in context.partition_keys:
            context.add_asset_metadata({ROW_COUNT: rows.get(partition, 0)}, key, partition)


def parsed_deps(dataset: ParsedDataset, first: str) -> dict[str, set[dg.AssetKey]]:
    """Dependencies between the layers of `parsed_outs`: both stores come from the files."""
    files = layer_key(dataset, first)
    return {first: set(), LATEST: {files}, HISTORY: {files}}


def stored_out(dataset: Dataset, layer: str, description: str) -> dg.AssetOut:
    """A layer that an IO manager writes, with the columns of its records."""
    texts = dataset.column_texts
    columns = [
        dg.TableColumn(name, str(dtype), texts[name])
        for name, dtype in dataset.record_schema.items()
    ]
    return _out(
        dataset,
        layer,
        description,
        _KINDS[layer],
        io_manager_key=IO_MANAGERS[layer],
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )


def _out(
    dataset: Dataset, layer: str, description: str, kinds: set[str], **how: Any
) -> dg.AssetOut:
    """A layer of a data set; any selection of them can be materialised."""
    return dg.AssetOut(
        key=layer_key(dataset, layer),
        is_required=False,
        description=description,
        kinds=kinds,
        group_name=dataset.group,
        **how,
    )


_KINDS: Final = {LATEST: {"redis"}, HISTORY: {"dynamodb"}}
