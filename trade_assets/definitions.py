"""The one place that assembles the platform's Dagster definitions: those of each folder of `defs/`.

A folder with a `definitions.py` is a concept: `build(platform)` gives what it adds. What else lies
in `defs/`, as `dg scaffold` puts it there, is loaded as Dagster loads any project.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import dagster as dg

from trade_assets import defs as defs_package
from trade_assets.concepts import is_chosen
from trade_assets.defs.shared.concept import Concept, Platform
from trade_assets.defs.shared.loaded_hours import load_hours
from trade_assets.defs.shared.names import HISTORY_IO, LATEST_IO
from trade_assets.defs.shared.partitions_sensor import partitions_sensor
from trade_assets.defs.shared.quiet_hours import quiet_hours_sensor
from trade_assets.errors import SettingsError
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
    quick = Connections(settings, patient=False)
    platform = Platform(
        settings,
        patient=Connections(settings),
        owing=Connections(settings, owing=True),
        quick=quick,
        hours=load_hours(settings),
    )
    concepts = _concepts(platform)
    stores = IngestStores(platform.patient)
    hours = {path: opener for item in concepts for path, opener in item.hours.items()}
    shared = dg.Definitions(
        resources={LATEST_IO: LatestIOManager(stores), HISTORY_IO: HistoryIOManager(stores, hours)},
        sensors=_hour_sensors(platform, concepts),
        executor=dg.in_process_executor,
    )
    merged = dg.Definitions.merge(shared, *(item.definitions for item in concepts), *_scaffolded())
    return _overridden(merged, resource_overrides or {})


def _concepts(platform: Platform) -> list[Concept]:
    """What every folder with a `definitions.py` adds, in alphabetical order."""
    folders = sorted(path.parent.name for path in DEFS.glob("*/definitions.py"))
    owners = platform.settings.platform.asset_owners
    unknown = owners.keys() - folders
    if unknown:
        raise SettingsError(
            f"settings: asset_owners: no concept {', '.join(sorted(unknown))}; there are "
            f"{', '.join(folders)}"
        )
    only = platform.settings.platform.only
    return [
        _owned(_module(folder).build(platform), owners.get(folder) or [f"team:{folder}"])
        for folder in folders
        if is_chosen(folder, only)
    ]


def _hour_sensors(platform: Platform, concepts: Sequence[Concept]) -> list[dg.SensorDefinition]:
    """The sensors of which hours are partitions: of those without data, and of where they begin,
    unless that is a setting."""
    prefixes = {prefix: keys for concept in concepts for prefix, keys in concept.prefixes.items()}
    quiet = quiet_hours_sensor(platform.quick, platform.hours, prefixes)
    if platform.settings.arrival.partitions_start is not None:
        return [quiet]
    return [quiet, partitions_sensor(platform.quick, platform.hours, list(prefixes))]


def _module(folder: str) -> Any:
    return importlib.import_module(f"{defs_package.__name__}.{folder}.definitions")


def _owned(concept: Concept, owners: Sequence[str]) -> Concept:
    """A concept whose assets have owners."""
    found = concept.definitions
    assets: Any = found.assets or ()  # nothing but what the function takes, says a test
    owned = dg.map_asset_specs(lambda spec: spec.replace_attributes(owners=owners), assets)
    return replace(concept, definitions=_with(found, assets=owned))


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
    return _with(merged, resources={**(merged.resources or {}), **overrides})


def _with(definitions: dg.Definitions, **changes: Any) -> dg.Definitions:
    """Definitions with other parts in the place of some of theirs."""
    parts = ("assets", "asset_checks", "jobs", "sensors", "schedules", "resources", "executor")
    return dg.Definitions(**{part: getattr(definitions, part) for part in parts} | changes)


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    bypass_proxies_for_loopback()
    return build_definitions()
