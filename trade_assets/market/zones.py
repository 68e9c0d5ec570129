"""The desk's time zone."""

from typing import Final
from zoneinfo import ZoneInfo

CENTRAL: Final = ZoneInfo("America/Chicago")
"""US Central, in which the exchange and the desk live."""
