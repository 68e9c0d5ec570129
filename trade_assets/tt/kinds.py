"""The kinds of snapshots by what they are to the capture; their names are the registry's."""

from typing import Final

from trade_assets.tt.formats import fills_snapshot as fills
from trade_assets.tt.formats import instruments_snapshot as instruments
from trade_assets.tt.formats import orders_snapshot as orders
from trade_assets.tt.formats import positions_snapshot as positions

ORDERS: Final = orders.ORDERS.kind
FILLS: Final = fills.TT_FILLS.kind
POSITIONS: Final = positions.POSITIONS.kind
INSTRUMENTS: Final = instruments.INSTRUMENTS.kind
"""The kind that names what the others are about."""

NAMING_KINDS: Final = (ORDERS, FILLS, POSITIONS)
"""The kinds whose rows name instruments; they are asked for beside each other."""
