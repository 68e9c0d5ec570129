"""Materialising hours of data sets through Dagster, with the definitions of production.

The fixtures are for the `conftest` of a folder.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import dagster as dg
import pytest

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.datasets.keys import LAYERS, PARTITION_FORMAT, STORED_LAYERS
from trade_assets.definitions import build_definitions
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.settings import Settings
from trade_assets_tests.stores.samples import HOUR
from trade_assets_tests.support.stores import Stores

PARTITION = HOUR.strftime(PARTITION_FORMAT)


class Materialise:
    """Materialises partitions with the definitions as production assembles them."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self._definitions = build_definitions(settings=settings)
        self._instance = instance

    def __call__(
        self,
        dataset: Dataset,
        layers: Sequence[str] | None = None,
        partition: str | None = PARTITION,
        extra: Sequence[dg.AssetsDefinition] = (),
        **options: Any,
    ) -> dg.ExecuteInProcessResult:
        """Materialise layers of a data set (None: all that it has), and all of `extra`."""
        if layers is None:
            layers = LAYERS if isinstance(dataset, Feed) else STORED_LAYERS
        keys = [layer_key(dataset, layer) for layer in layers]
        keys += [key for asset in extra for key in asset.keys]
        made = cast("Iterable[dg.AssetsDefinition]", self._definitions.assets or ())
        return dg.materialize(
            [*made, *extra],
            partition_key=partition,
            instance=self._instance,
            resources=dict(self._definitions.resources or {}),
            selection=dg.AssetSelection.assets(*keys),
            raise_on_error=False,
            **options,
        )


def metadata(result: dg.ExecuteInProcessResult, dataset: Dataset, layer: str) -> Mapping[str, Any]:
    """What a run said of the one materialisation of a layer."""
    (event,) = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == layer_key(dataset, layer)
    ]
    found = event.step_materialization_data.materialization.metadata
    return {name: value.value for name, value in found.items()}


def partitions(result: dg.ExecuteInProcessResult, dataset: Dataset, layer: str) -> list[str]:
    """The partitions of a layer that a run materialised, sorted."""
    return sorted(
        str(event.step_materialization_data.materialization.partition)
        for event in result.get_asset_materialization_events()
        if event.asset_key == layer_key(dataset, layer)
    )


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance that the tests of a module share; a module may have one of its own."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def stores(provisioned: Settings) -> Iterator[Stores]:
    """The stores of this test, provisioned."""
    with Stores(provisioned) as made:
        yield made


@pytest.fixture
def materialise(provisioned: Settings, instance: dg.DagsterInstance) -> Materialise:
    """Materialises in this test's stores."""
    return Materialise(provisioned, instance)
