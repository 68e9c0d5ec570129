"""Alarms of the TT snapshots: what is alarming about them, and the look that has it told.

Names are those of `monitor.alarms.conditions`, and `<api>:slots` (`tt:ext_prod_sim:slots`). Who
hears of an alarm, and how often, is the evaluator's business.
"""

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from trade_assets.monitor.alarms.conditions import Condition, protection_conditions
from trade_assets.monitor.alarms.evaluator import AlarmEvaluator
from trade_assets.monitor.alarms.notifier import build_notifier
from trade_assets.remote.protection.limits import ProtectionState
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import AlarmSettings, Settings
from trade_assets.stores.redis.client import connect
from trade_assets.tt.key_tiers import api_limits
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
        conditions = tt_conditions(self._protection.state(), missed or 0, self._settings.alarms)
        looked = self._evaluator.look(conditions, now)
        return [f"alarm not told to {name}: {why}" for name, why in looked.failed.items()]

    @cached_property
    def _redis(self) -> "redis.Redis":
        return connect(self._settings)

    @cached_property
    def _protection(self) -> Protection:
        return Protection(api_limits(self._settings.tt), self._redis)

    @cached_property
    def _evaluator(self) -> AlarmEvaluator:
        return AlarmEvaluator(build_notifier(self._settings), self._redis)


def tt_conditions(
    protection: ProtectionState, missed_slots: int, alarms: AlarmSettings
) -> list[Condition]:
    """All conditions of the TT snapshots. `missed_slots`: in a row, up to now."""
    return [
        *protection_conditions(protection, alarms),
        _slots(protection.name, missed_slots, alarms.missed_slots),
    ]


def _slots(name: str, missed: int, limit: int) -> Condition:
    return Condition(
        f"{name}:slots",
        f"{name}: {limit} or more snapshot slots in a row were missed",
        missed >= limit,
        f"{missed} slots in a row were missed." if missed else "Slots are taken again.",
    )
