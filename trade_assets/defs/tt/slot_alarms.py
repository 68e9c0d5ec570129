"""Alarms of the TT snapshots: what the sensor knows, put to `trade_assets.monitor.alarms`."""

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from trade_assets.monitor.alarms.conditions import tt_conditions
from trade_assets.monitor.alarms.evaluator import Alarms
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect
from trade_assets.tt.client.tiers import api_limits
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_counts import missed_in_a_row
from trade_assets.tt.tt_stores import TtStores

if TYPE_CHECKING:
    import redis


class TtAlarms:
    """Looks at the conditions of one environment; connects at the first look."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self, stores: TtStores, hours: OpenHours, first: datetime | None) -> list[str]:
        """Open and end alarms by how things stand now; why somebody was not told, in words.

        `first` is the slot from which on slots are looked at; None: there is none yet.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        now = datetime.now(UTC)
        missed = missed_in_a_row(hours, stores.slot_board.read(), now, first) if first else None
        conditions = tt_conditions(self._protection.state(), missed or 0, self._settings)
        looked = self._alarms.look(conditions, now)
        return [f"alarm not told to {name}: {why}" for name, why in looked.failed.items()]

    @cached_property
    def _redis(self) -> "redis.Redis":
        return connect(self._settings)

    @cached_property
    def _protection(self) -> Protection:
        return Protection(api_limits(self._settings), self._settings, self._redis)

    @cached_property
    def _alarms(self) -> Alarms:
        return Alarms(self._settings, self._redis)
