"""What the feeds need of a laptop: the simulated desk, its push agent, and a stream run or two."""

from typing import Final

from trade_assets.concepts import Footprint

FOOTPRINT: Final = Footprint(memory_mb=550)
