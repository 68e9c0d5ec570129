"""Up to which document both stores have a kind: Redis's `status:` of the data set.

It is written last, after both stores, and tells the next slot where to go on.
"""

from datetime import UTC, datetime

from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.document_records import slot_of_key


def written_until(latest: LatestStore, snapshot: Snapshot) -> str:
    """Key of the newest document that both stores have, with all before it but what a slot has left
    to a rerun (and said so); "" if nobody knows.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    return latest.status(snapshot).get("last_file", "")


def note_written(latest: LatestStore, snapshot: Snapshot, key: str) -> None:
    """Note that both stores have a document and all before it, unless a newer one is noted.

    The event time of the status is the slot.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    slot, now = slot_of_key(key), datetime.now(UTC)
    lag = max((now - slot).total_seconds(), 0.0)
    latest.write_status(snapshot, key, slot, now, lag, repair=True)
