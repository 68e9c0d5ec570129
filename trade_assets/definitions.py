"""The one place that assembles the platform's Dagster definitions: those of each folder of `defs/`.

A folder with a `definitions.py` is a concept: `build(platform)` gives what it adds. What else lies
in `defs/`, as `dg scaffold` puts it there, is loaded as Dagster loads any project.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import dagster as dg

from trade_assets import defs as defs_package
from trade_assets.defs.shared.concept import Concept, Platform
from trade_assets.defs.shared.names import HISTORY_IO, LATEST_IO
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.io_managers.latest_io_manager import LatestIOManager
from trade_assets.settings import Settings, bypass_proxies_for_loopback, load_settings
from trade_assets.stores.connections import Connections

DEFS: Final = Path(defs_package.__path__[0])
NO_DEFINITIONS: Final = frozenset({"__init__.py", "__pycache__", "shared"})
"""What in `defs/` is no definition and holds none."""


def build_definitions(
    *,
    settings: Settings | None = None,
    resource_overrides: Mapping[str, Any] | None = None,
) -> dg.Definitions:
    """All definitions, over the stores that the settings name.

    Args:
        settings: default: read from the environment.
        resource_overrides: resources by key, in place of the real ones.
    """
    settings = settings or load_settings()
    platform = Platform(settings, Connections(settings), Connections(settings, patient=False))
    concepts = _concepts(platform)
    stores = IngestStores(platform.patient)
    hours = {path: opener for item in concepts for path, opener in item.hours.items()}
    shared = dg.Definitions(
        resources={LATEST_IO: LatestIOManager(stores), HISTORY_IO: HistoryIOManager(stores, hours)},
        executor=dg.in_process_executor,
    )
    merged = dg.Definitions.merge(shared, *(item.definitions for item in concepts), *_scaffolded())
    return _overridden(merged, resource_overrides or {})


def _concepts(platform: Platform) -> list[Concept]:
    """What every folder with a `definitions.py` adds, in alphabetical order."""
    folders = sorted(path.parent.name for path in DEFS.glob("*/definitions.py"))
    names = [f"{defs_package.__name__}.{folder}.definitions" for folder in folders]
    return [importlib.import_module(name).build(platform) for name in names]


def _scaffolded() -> list[dg.Definitions]:
    """Everything else in `defs/`, loaded as Dagster does."""
    others = [
        path
        for path in sorted(DEFS.iterdir())
        if path.name not in NO_DEFINITIONS and not (path / "definitions.py").exists()
    ]
    if not others:
        return []
    tree = dg.ComponentTree.from_module(defs_package, DEFS.parents[1])
    return [tree.build_defs_at_path(path) for path in others]


def _overridden(merged: dg.Definitions, overrides: Mapping[str, Any]) -> dg.Definitions:
    if not overrides:
        return merged
    return dg.Definitions(
        assets=merged.assets,
        asset_checks=merged.asset_checks,
        jobs=merged.jobs,
        sensors=merged.sensors,
        schedules=merged.schedules,
        resources={**(merged.resources or {}), **overrides},
        executor=merged.executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    bypass_proxies_for_loopback()
    return build_definitions()
