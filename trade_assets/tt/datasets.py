"""The data sets of the TT account: the kinds of snapshots.

Adding one is a module in `formats/` and a line here.
"""

from collections.abc import Mapping
from typing import Final

from trade_assets.datasets.dataset import Dataset
from trade_assets.tt.formats import (
    fills_snapshot,
    instruments_snapshot,
    orders_snapshot,
    positions_snapshot,
)
from trade_assets.tt.formats.snapshot import Snapshot

SNAPSHOTS: Final[Mapping[str, Snapshot]] = {
    snapshot.path: snapshot
    for snapshot in (
        orders_snapshot.ORDERS,
        fills_snapshot.TT_FILLS,
        positions_snapshot.POSITIONS,
        instruments_snapshot.INSTRUMENTS,
    )
}
"""Every kind of snapshot by its path, `tt/<name>`, in the order in which they are taken: the
instruments are those that the others name."""

DATASETS: Final[Mapping[str, Dataset]] = SNAPSHOTS
"""What the registry finds here."""

SNAPSHOTS_BY_KIND: Final[Mapping[str, Snapshot]] = {
    snapshot.kind: snapshot for snapshot in SNAPSHOTS.values()
}
"""The same by kind, as keys and manifests name them."""

ORDERS: Final = orders_snapshot.ORDERS.kind
FILLS: Final = fills_snapshot.TT_FILLS.kind
POSITIONS: Final = positions_snapshot.POSITIONS.kind
INSTRUMENTS: Final = instruments_snapshot.INSTRUMENTS.kind
"""The kind that names what the others are about."""

NAMING_KINDS: Final = (ORDERS, FILLS, POSITIONS)
"""The kinds whose rows name instruments; they are asked for beside each other."""
