"""Whether the code server of the local stack has loaded the hours that have data: older data may
have landed since, and Dagster fixes where partitions begin when it loads the definitions."""

import time
from datetime import datetime
from typing import Final

from trade_assets.defs.shared.loaded_hours import LoadedHours, load_hours
from trade_assets.settings import Settings

LOOK_EVERY_SECONDS: Final = 15.0


class LoadedWatch:
    """Compares where partitions began when the code server started with where data begin now."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: LoadedHours | None = None
        self._looked_at = 0.0

    def started(self) -> None:
        """The code server is started: it loads what the mark says now."""
        self._loaded = load_hours(self._settings)
        self._looked_at = time.monotonic()

    def moved_back(self) -> datetime | None:
        """The first hour with data, if the code server has loaded a later one: it is to be started
        again. At most one look each `LOOK_EVERY_SECONDS`."""
        if self._loaded is None or time.monotonic() - self._looked_at < LOOK_EVERY_SECONDS:
            return None
        self._looked_at = time.monotonic()
        now = load_hours(self._settings)
        if not now.certain or not self._loaded.lacks(now.first):
            return None
        self._loaded = now
        return now.first
