"""The one place that assembles the platform's Dagster definitions."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from trade_assets.defs.derived.assets import derived_assets
from trade_assets.defs.feeds.arrival_checks import arrival_checks
from trade_assets.defs.feeds.assets import feed_assets
from trade_assets.defs.feeds.bucket_sensor import bucket_sensor
from trade_assets.defs.feeds.hour_job import hour_job
from trade_assets.defs.feeds.stream_run import feed_stream
from trade_assets.defs.maintenance.prune import prune_dagster_storage, prune_schedule
from trade_assets.defs.reference.expiration_calendar import (
    expiration_calendar,
    expirations_round_trip,
)
from trade_assets.defs.shared.hour_assets import hour_partitions
from trade_assets.defs.shared.names import (
    AUTOMATION_SENSOR,
    HISTORY_IO,
    LATEST_IO,
    REFERENCE_IO,
    STORES,
    TT,
)
from trade_assets.defs.tt.assets import snapshot_assets
from trade_assets.defs.tt.checks import freshness_check
from trade_assets.defs.tt.client_resource import tt_resource
from trade_assets.defs.tt.hour_report import hour_report_job, slots_asset
from trade_assets.defs.tt.slot_run import tt_snapshot
from trade_assets.defs.tt.slot_sensor import slot_sensor
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.derived.declarations import DERIVED
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.io_managers.latest_io_manager import LatestIOManager
from trade_assets.io_managers.reference_io_manager import ReferenceIOManager
from trade_assets.settings import Settings, bypass_proxies_for_loopback, load_settings
from trade_assets.stores.connections import Stores
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.slots.open_hours import open_hours


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
    stores = Stores(settings)
    resources = {
        STORES: stores,
        LATEST_IO: LatestIOManager(stores),
        HISTORY_IO: HistoryIOManager(stores),
        REFERENCE_IO: ReferenceIOManager(stores),
        TT: tt_resource(settings),
        **(resource_overrides or {}),
    }
    partitions = hour_partitions(settings.arrival.partitions_start)
    hours = open_hours(settings)
    job, report_job = hour_job(), hour_report_job()
    return dg.Definitions(
        assets=[
            *(feed_assets(feed, partitions) for feed in FEEDS.values()),
            *(derived_assets(dataset, partitions) for dataset in DERIVED.values()),
            *(snapshot_assets(snapshot, partitions) for snapshot in SNAPSHOTS.values()),
            slots_asset(hours, partitions),
            expiration_calendar,
        ],
        asset_checks=[
            *(check for feed in FEEDS.values() for check in arrival_checks(feed)),
            *(freshness_check(snapshot, hours) for snapshot in SNAPSHOTS.values()),
            expirations_round_trip,
        ],
        jobs=[feed_stream, job, tt_snapshot, report_job, prune_dagster_storage],
        sensors=[
            bucket_sensor(settings, job),
            slot_sensor(settings, report_job),
            dg.AutomationConditionSensorDefinition(
                AUTOMATION_SENSOR,
                target=dg.AssetSelection.assets(expiration_calendar),
                minimum_interval_seconds=60,
                default_status=dg.DefaultSensorStatus.RUNNING,
            ),
        ],
        schedules=[prune_schedule],
        resources=resources,
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads."""
    bypass_proxies_for_loopback()
    return build_definitions()
