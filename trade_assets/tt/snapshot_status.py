"""How the TT snapshots are doing: slots, kinds, protection layer, alarms; what of it is a problem.

Pure: the facts and the verdict. Who looks for them is `health_section`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from trade_assets.monitor.alarms.state_store import OpenEpisode
from trade_assets.monitor.freshness import Freshness
from trade_assets.remote.protection.limits import ProtectionState
from trade_assets.settings import AlarmSettings
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_counts import SlotCounts
from trade_assets.tt.slots.slot_log import SlotNote
from trade_assets.tt.tt_alarms import tt_conditions


@dataclass(frozen=True, slots=True)
class KindStatus:
    """A kind of snapshot by its status in Redis. Times are UTC; None where there is none.

    `last_slot` is the newest slot that Redis has; `age_seconds` the time since then, and
    `limit_seconds` how long it may be while slots are due.
    """

    dataset: str
    freshness: Freshness
    limit_seconds: float
    last_slot: datetime | None = None
    age_seconds: float | None = None
    record_keys: int | None = None


@dataclass(frozen=True, slots=True)
class TtInRedis:
    """What Redis knows.

    Attributes:
        board: the newest slot that was asked for; None before the first.
        missed_in_a_row: due slots of which nothing was kept, up to now; None if nobody can tell.
        kinds: in the order in which they are taken.
        protection: state of the protection layer, over all processes.
        alarms: those that are on, of whatever.
    """

    board: SlotSummary | None
    missed_in_a_row: int | None
    kinds: tuple[KindStatus, ...]
    protection: ProtectionState
    alarms: tuple[OpenEpisode, ...]


@dataclass(frozen=True, slots=True)
class TtLog:
    """What the slot log knows of the last hour: slots that are not whole, and how many."""

    counts: SlotCounts
    notes: tuple[SlotNote, ...]


@dataclass(frozen=True, slots=True)
class TtStatus:
    """One look. What is None could not be looked at.

    Attributes:
        environment: of the API.
        enabled: snapshots are switched on.
        closed_reason: why the newest slot is not due; None: it is.
        active_problems: what is alarming, in words.
    """

    time: datetime
    environment: str
    enabled: bool
    closed_reason: str | None
    in_redis: TtInRedis | None
    log: TtLog | None
    active_problems: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong; nothing is, while no slot is due or none is wanted."""
        quiet = not self.enabled or self.closed_reason is not None
        return () if quiet else self.active_problems

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"tt": self._as_dict()}

    @property
    def whole_age_seconds(self) -> float | None:
        """Seconds since the newest whole slot; None if there is none, or it is unknown."""
        board = None if self.in_redis is None else self.in_redis.board
        if board is None or board.last_whole is None:
            return None
        return (self.time - board.last_whole).total_seconds()

    def _as_dict(self) -> dict[str, Any]:
        found = self.in_redis
        seen: Mapping[str, Any] = {} if found is None else asdict(found)
        protection = seen.get("protection")
        if found is not None and protection is not None:
            percent = found.protection.budget_percent
            shown = None if percent is None else round(percent, 2)
            protection = {**protection, "budget_percent": shown}
        return {
            "environment": self.environment,
            "enabled": self.enabled,
            "closed_reason": self.closed_reason,
            "last_whole": None if found is None or not found.board else found.board.last_whole,
            "last_whole_age_seconds": self.whole_age_seconds,
            "missed_in_a_row": seen.get("missed_in_a_row"),
            "newest": seen.get("board"),
            "last_hour": None if self.log is None else asdict(self.log),
            "kinds": seen.get("kinds"),
            "protection": protection,
            "alarms": seen.get("alarms"),
        }


def problems_of(found: TtInRedis, alarms: AlarmSettings) -> tuple[str, ...]:
    """What is alarming, by the conditions of the alarms, and kinds that are not fresh."""
    conditions = tt_conditions(found.protection, found.missed_in_a_row or 0, alarms)
    problems = [f"{item.title}. {item.detail}" for item in conditions if item.active]
    problems += [_kind_problem(kind) for kind in found.kinds if kind.freshness is not Freshness.OK]
    return tuple(problems)


def _kind_problem(kind: KindStatus) -> str:
    if kind.freshness is Freshness.EMPTY:
        return f"{kind.dataset}: no snapshot yet"
    if kind.freshness is Freshness.AHEAD and kind.age_seconds is not None:
        return f"{kind.dataset}: its newest slot is {-kind.age_seconds:.0f} s ahead of the clock"
    if kind.freshness is Freshness.STALE and kind.age_seconds is not None:
        limit = f"limit {kind.limit_seconds:g} s"
        return f"{kind.dataset}: stale, its newest slot is {kind.age_seconds:.0f} s old ({limit})"
    return f"{kind.dataset}: freshness {kind.freshness}"
