"""Definitions of the snapshots of the TT account."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import dagster as dg

from trade_assets.datasets.keys import SNAPSHOT_LAYERS
from trade_assets.defs.shared.concept import Concept, HourAssets, Platform
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import QUICK_TT_STORES, SLOT_STORES, TT, TT_STORES
from trade_assets.defs.tt.assets import snapshot_assets
from trade_assets.defs.tt.checks import freshness_check
from trade_assets.defs.tt.hour_report import SLOTS_KEY, hour_report_job, slots_asset
from trade_assets.defs.tt.slot_run import tt_snapshot
from trade_assets.defs.tt.slot_sensor import slot_sensor
from trade_assets.ingest.hour_records import HourOpener
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import IMPATIENT_SECONDS, connect, disconnect
from trade_assets.tt.client.tt_client import TtClient
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.formats.snapshot_keys import snapshot_prefix
from trade_assets.tt.slots.open_hours import OpenHours, open_hours
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets.tt.tt_stores import TtStores


def build(platform: Platform) -> Concept:
    """The concept `tt`."""
    settings, stores = platform.settings, TtStores(platform.patient)
    partitions = platform.hours.partitions
    hours, report_job = open_hours(settings), hour_report_job()
    definitions = dg.Definitions(
        assets=[
            *(snapshot_assets(snapshot, partitions) for snapshot in SNAPSHOTS.values()),
            slots_asset(hours, partitions),
        ],
        asset_checks=[freshness_check(snapshot, hours) for snapshot in SNAPSHOTS.values()],
        jobs=[tt_snapshot, report_job],
        sensors=[slot_sensor(settings, report_job)],
        resources={
            TT_STORES: stores,
            SLOT_STORES: TtStores(platform.owing),
            QUICK_TT_STORES: TtStores(platform.quick),
            TT: tt_resource(settings),
        },
    )
    environment = settings.tt.environment.value
    return Concept(
        definitions,
        {path: _hours(stores, snapshot) for path, snapshot in SNAPSHOTS.items()},
        {
            snapshot_prefix(environment, snapshot.kind): _assets_of(snapshot, hours)
            for snapshot in SNAPSHOTS.values()
        },
    )


def _assets_of(snapshot: Snapshot, hours: OpenHours) -> HourAssets:
    """The assets that come of a kind's raw snapshots, and of whether they are all there."""

    def due(hour: datetime) -> bool:
        return bool(hours.due(hour, hour + timedelta(hours=1) - SLOT))

    return HourAssets([*(layer_key(snapshot, layer) for layer in SNAPSHOT_LAYERS), SLOTS_KEY], due)


def tt_resource(settings: Settings) -> dg.ResourceDefinition:
    """The API's client: only a slot's run has it; assets and their reruns never do. It is made when
    a run begins that requires it; nothing is asked by that."""

    @dg.resource(description="The TT REST API, behind its protection.")
    def tt(_: dg.InitResourceContext) -> Iterator[TtClient]:
        redis_client = connect(settings, IMPATIENT_SECONDS)
        client = TtClient(settings, redis_client)
        try:
            yield client
        finally:
            client.close()
            disconnect(redis_client)

    return tt


def _hours(stores: TtStores, snapshot: Snapshot) -> HourOpener:
    def slots(partitions: Sequence[str]) -> SnapshotHour:
        return SnapshotHour(stores, snapshot, partitions)

    return slots
