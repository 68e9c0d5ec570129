"""What Dagster shows of the platform: every asset with its group, kinds and dependencies, and every
check. Written out: dashboards and operators know these names, so they change on purpose only.
"""

from typing import Any

import dagster as dg
import pytest

from trade_assets.definitions import build_definitions
from trade_assets.errors import SettingsError
from trade_assets.settings import load_settings

FEEDS = {
    "actant/eod": "json",
    "actant/futures_settlement": "csv",
    "actant/options_settlement": "csv",
    "actant/pnl_grid": "csv",
    "actant/sod": "csv",
    "actant/spot_risk": "csv",
    "actant/vtexp": "csv",
    "tt/fills": "csv",
}
"""Feeds, and what their files are."""

DERIVED = {
    "derived/greeks": {
        "actant/spot_risk/files",
        "actant/spot_risk/history",
        "actant/vtexp/history",
    },
    "derived/positions": {"tt/fills/files", "actant/sod/history", "actant/sod/latest"},
}
"""Derived data sets, and what they are derived from."""

SNAPSHOTS = ("tt/instruments", "tt/orders", "tt/positions", "tt/tt_fills")
"""Kinds of snapshots of the TT API."""

PRICED = {
    *("actant/futures_settlement", "actant/options_settlement", "actant/sod", "actant/spot_risk"),
    *("tt/fills", "tt/orders", "tt/tt_fills"),
}
"""Data sets with prices of what trades."""

STORES = {"latest": "redis", "history": "dynamodb"}
"""The layers that are written, and where they are."""

CALENDAR = "reference/expirations"

SLOTS = "tt/slots/hour"
"""Which hours of snapshots are whole."""

Asset = tuple[str, set[str], set[str]]
"""Group, kinds and dependencies."""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(settings=load_settings())


def group(path: str) -> str:
    """How the UI groups the assets of a data set; `tt_fills` are those of the desk's ledger."""
    source, name = path.split("/")
    return f"tt_snapshot_{name.removeprefix('tt_')}" if path in SNAPSHOTS else f"{source}_{name}"


def expected_assets() -> dict[str, Asset]:
    """All assets by key."""
    assets: dict[str, Asset] = {CALENDAR: ("reference", {"s3", "parquet"}, set())}
    for path, kind in FEEDS.items():
        assets[f"{path}/files"] = (group(path), {"s3", kind}, set())
    for path in SNAPSHOTS:
        assets[f"{path}/raw"] = (group(path), {"s3", "json"}, set())
    assets[SLOTS] = ("tt_snapshot_slots", {"s3"}, {f"{path}/raw" for path in SNAPSHOTS})
    origins = {path: {f"{path}/files"} for path in FEEDS}
    origins |= {path: {f"{path}/raw"} for path in SNAPSHOTS}
    for path, deps in {**origins, **DERIVED}.items():
        for layer, store in STORES.items():
            assets[f"{path}/{layer}"] = (group(path), {store}, deps)
    return assets


def expected_checks() -> set[str]:
    """All asset checks as `<asset>:<check>`."""
    checks = {f"{CALENDAR}:round_trip", "actant/spot_risk/latest:quotes"}
    checks |= {f"{path}/latest:derived" for path in DERIVED}
    for path in FEEDS:
        checks |= {f"{path}/history:{name}" for name in ("schema", "rows_accounted", "symbols")}
        checks.add(f"{path}/files:freshness")
    for path in SNAPSHOTS:
        checks |= {f"{path}/history:{name}" for name in ("schema", "rows_accounted", "symbols")}
        checks.add(f"{path}/raw:freshness")
    checks |= {f"{path}/history:ticks" for path in PRICED}
    return checks | {f"{path}/files:gaps" for path in FEEDS if path != "tt/fills"}


def test_all_assets_with_their_groups_kinds_and_dependencies(definitions: dg.Definitions) -> None:
    specs = list(definitions.resolve_all_asset_specs())
    found = {
        spec.key.to_user_string(): (
            spec.group_name,
            spec.kinds,
            {dep.asset_key.to_user_string() for dep in spec.deps},
        )
        for spec in specs
    }
    assert found == expected_assets()
    assert len(specs) == len(found) == 29 + 13


def test_every_asset_has_a_description_and_what_is_stored_its_columns(
    definitions: dg.Definitions,
) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert spec.description
        has_columns = "dagster/column_schema" in spec.metadata
        assert has_columns == (spec.key.path[-1] not in ("files", "raw", "hour")), spec.key


def test_every_column_in_the_ui_says_what_it_is(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        schema = spec.metadata.get("dagster/column_schema")
        if isinstance(schema, dg.TableSchema):
            assert all(column.description for column in schema.columns), spec.key


def test_every_asset_is_owned_by_the_team_of_its_concept(definitions: dg.Definitions) -> None:
    owners = {
        spec.key.to_user_string(): spec.owners for spec in definitions.resolve_all_asset_specs()
    }
    assert owners["tt/fills/latest"] == ["team:feeds"]
    assert owners["derived/greeks/history"] == ["team:feeds"]
    assert owners["tt/tt_fills/raw"] == owners[SLOTS] == ["team:tt"]
    assert owners[CALENDAR] == ["team:reference"]
    assert all(owners.values())


def test_owners_are_a_setting_by_concept() -> None:
    owners = {"tt": ["team:execution", "kim@example.com"]}
    made = build_definitions(settings=load_settings(asset_owners=owners))
    found = {spec.key.to_user_string(): spec.owners for spec in made.resolve_all_asset_specs()}
    assert found["tt/orders/latest"] == ["team:execution", "kim@example.com"]
    assert found["actant/eod/latest"] == ["team:feeds"]


@pytest.mark.parametrize(
    ("owners", "why"),
    [({"tt": ["somebody"]}, "asset_owners.tt.0"), ({"ttt": ["team:a"]}, "no concept ttt")],
)
def test_an_owner_that_is_none_is_refused(owners: dict[str, list[str]], why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        build_definitions(settings=load_settings(asset_owners=owners))


def test_everything_but_reference_data_is_by_hour(definitions: dg.Definitions) -> None:
    by_hour = {
        spec.key.to_user_string()
        for spec in definitions.resolve_all_asset_specs()
        if isinstance(spec.partitions_def, dg.HourlyPartitionsDefinition)
    }
    assert by_hour == expected_assets().keys() - {CALENDAR}


def test_all_checks(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    assert {key.to_user_string() for key in graph.asset_check_keys} == expected_checks()


def test_all_jobs_sensors_and_schedules(definitions: dg.Definitions) -> None:
    jobs = {job.name for job in definitions.resolve_all_job_defs()}
    assert {name for name in jobs if not name.startswith("__")} == {
        "feed_stream", "feed_hours", "tt_snapshot", "tt_hour_report", "prune_dagster_storage",
        "redis_rebuild",
    }  # fmt: skip
    assert {sensor.name for sensor in definitions.sensors or ()} == {
        "feed_bucket", "tt_slots", "reference_automation", "hour_partitions", "quiet_hours",
        "redis_life",
    }  # fmt: skip
    (schedule,) = definitions.schedules or ()
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert schedule.job_name == "prune_dagster_storage"


def test_the_hour_job_carries_all_feeds_and_what_is_derived_from_them(
    definitions: dg.Definitions,
) -> None:
    job = definitions.resolve_job_def("feed_hours")
    ops = {path.replace("/", "__") for path in (*FEEDS, *DERIVED)}
    # The names of the checks that are run by hand have a third part.
    assert {node.name for node in job.nodes if node.name.count("__") == 1} == ops


def test_the_report_job_carries_the_slots_alone_and_the_slot_job_is_one_op(
    definitions: dg.Definitions,
) -> None:
    report = definitions.resolve_job_def("tt_hour_report")
    assert report.asset_layer.executable_asset_keys == {dg.AssetKey(SLOTS.split("/"))}
    slot = definitions.resolve_job_def("tt_snapshot")
    assert [node.name for node in slot.nodes] == ["take_slot"]
    assert slot.tags["dagster/priority"] == "20"


def test_only_the_slot_job_has_the_api(definitions: dg.Definitions) -> None:
    jobs = list(definitions.resolve_all_job_defs())
    with_api = {job.name for job in jobs for node in job.nodes if _requires_api(node)}
    assert with_api == {"tt_snapshot"}


def _requires_api(node: Any) -> bool:
    return "tt" in node.definition.required_resource_keys
