"""Rerunning hours with the IO managers, without Dagster; and what the stores then hold."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.ingest.impossible import TakeBack
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.io_managers.latest_io_manager import LatestIOManager
from trade_assets.settings import Settings
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets_tests.stores.samples import history_items, raw_redis, redis_records
from trade_assets_tests.support.stores import Stores


def rerun(stores: Stores, hours: Iterable[datetime]) -> dict[str, SnapshotHour]:
    """Write the hours of every kind to both stores, in order; what was read, by kind."""
    partitions = [hour.strftime(PARTITION_FORMAT) for hour in sorted(hours)]
    read = {}
    for snapshot in SNAPSHOTS.values():
        hour = read[snapshot.kind] = SnapshotHour(stores, snapshot, partitions)
        hour.look()
        TakeBack(stores, snapshot, hour.results, datetime.now(UTC)).run()
        LatestIOManager(stores).store(hour)
        HistoryIOManager(stores, {}).store(hour)
        hour.account()
        hour.raise_failed()
    return read


def contents(settings: Settings) -> dict[str, Any]:
    """All records in both stores, and the sets as a whole."""
    found: dict[str, Any] = {"history": history_items(settings)}
    with raw_redis(settings) as client:
        for snapshot in SNAPSHOTS.values():
            found[snapshot.path] = redis_records(settings, snapshot)
            found[f"set {snapshot.path}"] = client.hgetall(f"set:tt:{snapshot.name}")
            status: Any = client.hgetall(f"status:tt:{snapshot.name}")
            found[f"status {snapshot.path}"] = status.get("last_file")
    return found
