"""Rerunning hours as the IO managers do, with the stores alone; and what the stores then hold."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.settings import Settings
from trade_assets.stores.connections import Stores
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets_tests.stores.samples import history_items, raw_redis, redis_records


def rerun(stores: Stores, hours: Iterable[datetime]) -> dict[str, SnapshotHour]:
    """Write the hours of every kind to both stores, in order; what was read, by kind."""
    partitions = [hour.strftime(PARTITION_FORMAT) for hour in sorted(hours)]
    read = {}
    for snapshot in SNAPSHOTS.values():
        hour = read[snapshot.kind] = SnapshotHour(stores, snapshot, partitions)
        hour.look()
        if snapshot.replaced:
            picture = hour.last_picture()
            if picture is not None:
                stores.latest.replace(snapshot, picture.records, picture.file_key, picture.slot)
        else:
            for records in hour.frames():
                stores.latest.write(snapshot, records)
        for records in hour.changes():
            stores.history.write(snapshot, records)
        hour.account()
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
