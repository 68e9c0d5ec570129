"""The registry: which kinds of snapshots exist. Adding one is a module beside this and a line."""

from collections.abc import Mapping
from typing import Final

from trade_assets.tt.formats.fills_snapshot import TT_FILLS
from trade_assets.tt.formats.instruments_snapshot import INSTRUMENTS, instrument_names
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.formats.positions_snapshot import POSITIONS
from trade_assets.tt.formats.snapshot import Snapshot

__all__ = ["SNAPSHOTS", "SNAPSHOTS_BY_KIND", "instrument_names"]

SNAPSHOTS: Final[Mapping[str, Snapshot]] = {
    snapshot.path: snapshot for snapshot in (ORDERS, TT_FILLS, POSITIONS, INSTRUMENTS)
}
"""Every kind of snapshot by its path, `tt/<name>`, in the order in which they are taken: the
instruments are those that the others name."""

SNAPSHOTS_BY_KIND: Final[Mapping[str, Snapshot]] = {
    snapshot.kind: snapshot for snapshot in SNAPSHOTS.values()
}
"""The same by kind, as keys and manifests name them."""
