"""Rebuilding what Redis had of the TT account: the sets, the newest records, marks, and the board.

All of it comes from the raw documents; TT is not asked. The day's budget is put back by whoever
asks next, before it asks (`tt.slots.spent_requests`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from trade_assets.datasets.dataset import Dataset
from trade_assets.ingest.hour_records import WholeSet
from trade_assets.ingest.isolation import Portion
from trade_assets.ingest.rebuilding import Rebuilder, kept_hours, write_newest
from trade_assets.stores.connections import Connections
from trade_assets.tt.datasets import SNAPSHOTS, SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.formats.snapshot_keys import (
    parse_snapshot_key,
    snapshot_key,
    snapshot_prefix,
)
from trade_assets.tt.slots.results import KindState
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_hours import SnapshotHour
from trade_assets.tt.slots.slot_notes import note_shown
from trade_assets.tt.tt_stores import TtStores


class SnapshotRebuilder:
    """Rebuilds a kind of snapshot. Of a set that is replaced the newest picture is all of it."""

    def __init__(self, stores: TtStores, snapshot: Snapshot) -> None:
        self._stores = stores
        self._snapshot = snapshot
        self._environment = stores.settings.tt.environment.value
        self._newest = ""

    @property
    def dataset(self) -> Dataset:
        """The kind."""
        return self._snapshot

    @property
    def first(self) -> bool:
        """A set is one document."""
        return self._snapshot.replaced

    def hours(self) -> Sequence[str]:
        """Hours of slots of which there are documents."""
        prefix = snapshot_prefix(self._environment, self._snapshot.kind)
        return kept_hours(self._stores.objects, prefix)

    def rebuild(self, hour: str) -> Iterator[int]:
        """Read the documents of an hour again. Quarantine stays as it is."""
        if self._newest and self._snapshot.replaced:
            return
        slots, newest = SnapshotHour(self._stores, self._snapshot, [hour]), ""
        if self._snapshot.replaced:
            found = slots.newest_set()
            if found is not None:
                newest = found.file_key
                yield self._replace(found)
        else:
            for records in slots.frames():
                yield write_newest(self._stores.latest, self._snapshot, Portion(records))
            newest = slots.figures.last_file
        if newest and not self._newest:
            self._newest = newest
            note_shown(self._stores, self._snapshot, newest)
            self._put_on_board(parse_snapshot_key(newest).slot)

    def _replace(self, found: WholeSet) -> int:
        latest = self._stores.latest
        replaced = latest.replace(self._snapshot, found.records, found.file_key, found.event_time)
        return len(replaced.changed)

    def _put_on_board(self, slot: datetime) -> None:
        """Say of the newest slot what its documents say; the board keeps a newer one."""
        keys = [snapshot_key(self._environment, kind, slot) for kind in SNAPSHOTS_BY_KIND]
        there = self._stores.objects.head_many(keys)
        kinds = {
            kind: KindState.MISSED.value if info is None else KindState.KEPT.value
            for kind, info in zip(SNAPSHOTS_BY_KIND, there, strict=True)
        }
        missing = [kind for kind, info in zip(SNAPSHOTS_BY_KIND, there, strict=True) if not info]
        reason = f"there is no document of {', '.join(missing)}" if missing else ""
        self._stores.slot_board.write_taken(
            SlotSummary(slot, not missing, 0.0, reason=reason, kinds=kinds)
        )


def rebuilders(connections: Connections) -> list[Rebuilder]:
    """Those of all kinds, as `ingest.rebuilding` finds them."""
    stores = TtStores(connections)
    return [SnapshotRebuilder(stores, snapshot) for snapshot in SNAPSHOTS.values()]
