"""What the TT account needs of a laptop: the simulated TT, and a snapshot's run."""

from typing import Final

from trade_assets.concepts import Footprint

FOOTPRINT: Final = Footprint(memory_mb=300)
