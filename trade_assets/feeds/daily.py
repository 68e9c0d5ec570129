"""What the feeds of one file a trading day have in common. No format and no feed belongs here."""

from typing import Final

from trade_assets.feeds.cadence import TRADING_DAY_SECONDS

DAILY_GAP_SECONDS: Final = 1.5 * TRADING_DAY_SECONDS
"""Half a trading day late is late; the hour of a desk's daily file moves by less."""

DAILY_FRESHNESS_SECONDS: Final = 4 * 24 * 3600.0
"""Friday's file is still the newest on the Monday, and on the Tuesday after a holiday."""
