"""Alarms of the TT snapshots: what the sensor knows, put to `trade_assets.alarms`."""

from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from trade_assets.alarms.conditions import tt_conditions
from trade_assets.alarms.desk import Alarms
from trade_assets.clients.protection.protection import Protection
from trade_assets.clients.tt.tiers import api_limits
from trade_assets.feeds.snapshots.base import SLOT
from trade_assets.feeds.snapshots.open_hours import OpenHours
from trade_assets.feeds.snapshots.slots import first_slot_from, slot_at
from trade_assets.settings import Settings
from trade_assets.stores.bundle import Stores
from trade_assets.stores.latest import connect
from trade_assets.stores.slot_board import SlotSummary

if TYPE_CHECKING:
    import redis

LOOKED_BACK: Final = timedelta(days=1)
"""Missed slots are counted this far back: it bounds the work."""

FAILED_WORDS: Final = ("missed", "failed")
"""How the state of a kind begins on the slot board if it was not kept."""


class TtAlarms:
    """Looks at the conditions of one environment; connects at the first look."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def look(self, stores: Stores, hours: OpenHours, first: datetime | None) -> list[str]:
        """Open and end alarms by how things stand now; why somebody was not told, in words.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        now = datetime.now(UTC)
        missed = missed_in_a_row(hours, stores.slot_board.read(), first, now)
        conditions = tt_conditions(self._protection.state(), missed, self._settings)
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


def missed_in_a_row(
    hours: OpenHours, board: SlotSummary | None, first: datetime | None, now: datetime
) -> int:
    """Due slots of which nothing was kept, up to the newest one whose half minute is over.

    `first` is the slot from which on slots are looked at; None: there is none yet.
    """
    if first is None:
        return 0
    taken = _last_taken(board)
    begin = max(first, first_slot_from(now - LOOKED_BACK))
    if taken is not None:
        begin = max(begin, taken + SLOT)
    last = slot_at(now) - SLOT
    return len(hours.due(begin, last)) if begin <= last else 0


def _last_taken(board: SlotSummary | None) -> datetime | None:
    """The newest slot of which any kind was kept."""
    if board is None:
        return None
    if any(not state.startswith(FAILED_WORDS) for state in board.kinds.values()):
        return board.slot
    return board.last_whole
