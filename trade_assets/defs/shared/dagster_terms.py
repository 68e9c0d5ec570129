"""Keys of assets, and other terms of Dagster that several modules use; names are in `names`."""

from typing import Any, Final

import dagster as dg

from trade_assets.datasets.dataset import Dataset

UNFINISHED: Final = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""States of runs that Dagster holds for unfinished."""

AssetJob = Any
"""What `define_asset_job` returns; Dagster does not export its type."""


def layer_key(dataset: Dataset, layer: str) -> dg.AssetKey:
    """Asset key `<source>/<name>/<layer>`."""
    return dg.AssetKey([dataset.source, dataset.name, layer])


def op_name(dataset: Dataset) -> str:
    """Name of the op that carries a data set's hour."""
    return f"{dataset.source}__{dataset.name}"
