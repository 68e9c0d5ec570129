"""Materialising assets of the snapshots with the definitions of production, but for the API: who
touches it fails.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import dagster as dg

from trade_assets.definitions import build_definitions
from trade_assets.defs.shared.names import TT
from trade_assets.settings import Settings
from trade_assets_tests.defs.tt.documents import PARTITION


@dg.resource
def untouchable(_: dg.InitResourceContext) -> object:
    raise AssertionError("a rerun made a client of the API")


def rerun(
    settings: Settings,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    partition: str | None = PARTITION,
    extra: Sequence[dg.AssetsDefinition] = (),
    **options: Any,
) -> dg.ExecuteInProcessResult:
    """Materialise assets, and all of `extra`."""
    definitions = build_definitions(settings=settings, resource_overrides={TT: untouchable})
    every = [*keys, *(key for asset in extra for key in asset.keys)]
    made = cast("Iterable[dg.AssetsDefinition]", definitions.assets or ())
    return dg.materialize(
        [*made, *extra],
        partition_key=partition,
        instance=instance,
        resources=dict(definitions.resources or {}),
        selection=dg.AssetSelection.assets(*every),
        raise_on_error=False,
        **options,
    )


def told(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> Mapping[str, Any]:
    """Metadata of the one materialisation of an asset."""
    (event,) = [
        event for event in result.get_asset_materialization_events() if event.asset_key == key
    ]
    found = event.step_materialization_data.materialization.metadata
    return {name: value.value for name, value in found.items()}
