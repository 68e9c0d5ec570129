"""The snapshots' section of the health: what is known of them without asking TT."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final

from trade_assets.monitor.alarms.evaluator import LEASE_SECONDS
from trade_assets.monitor.alarms.state_store import AlarmStateStore
from trade_assets.monitor.freshness import Freshness, freshness_limit, status_time
from trade_assets.monitor.sections import HealthSection, Look, StorePart
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.key_tiers import api_limits
from trade_assets.tt.slots.open_hours import OpenHours, open_hours
from trade_assets.tt.slots.slot_counts import count_slots, kind_freshness, missed_in_a_row
from trade_assets.tt.slots.slot_log import SlotState
from trade_assets.tt.snapshot_status import KindStatus, TtInRedis, TtLog, TtStatus, problems_of
from trade_assets.tt.tt_stores import TtStores

NOTED: Final = timedelta(hours=1)
"""How far back slots that are not whole are listed."""


class TtSection:
    """Looks at what the stores hold of the snapshots; keeps its connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.looks: Mapping[StorePart, Look] = {
            StorePart.DYNAMODB: self._look_at_log,
            StorePart.REDIS: self._look_at_redis,
        }
        self.local_parts: Mapping[str, str] = {}
        if settings.tt.snapshots_enabled:
            self.local_parts = {"TT simulator": settings.tt_url}

    def status(self, now: datetime, found: Mapping[StorePart, Any]) -> TtStatus:
        """What was found."""
        in_redis: TtInRedis | None = found.get(StorePart.REDIS)
        problems = () if in_redis is None else problems_of(in_redis, self._settings.alarms)
        log: TtLog | None = found.get(StorePart.DYNAMODB)
        return TtStatus(
            time=now,
            environment=self._settings.tt.environment.value,
            enabled=self._settings.tt.snapshots_enabled,
            closed_reason=self._hours.closed_reason(slot_at(now)),
            in_redis=in_redis,
            log=log,
            active_problems=problems,
        )

    def close(self) -> None:
        """Give connections back."""
        self._stores.close()

    def _look_at_redis(self, now: datetime) -> TtInRedis:
        board = self._stores.slot_board.read()
        alarms = AlarmStateStore(self._stores.connections.redis, LEASE_SECONDS)
        return TtInRedis(
            board=board,
            missed_in_a_row=missed_in_a_row(self._hours, board, now),
            kinds=tuple(self._kind(snapshot, now) for snapshot in SNAPSHOTS.values()),
            protection=self._protection.state(),
            alarms=tuple(alarms.open_episodes()),
        )

    def _look_at_log(self, now: datetime) -> TtLog:
        # The slot that has just begun is still under way.
        until = slot_at(now)
        notes = self._stores.slot_log.notes(until - NOTED, until + SLOT)
        lacking = tuple(note for note in notes if note.state is not SlotState.NOT_WANTED)
        return TtLog(count_slots(self._hours, notes, until - NOTED, until), lacking)

    def _kind(self, snapshot: Snapshot, now: datetime) -> KindStatus:
        limit = freshness_limit(self._settings, snapshot)
        fields = self._stores.latest.status(snapshot)
        slot = status_time(fields.get("last_event_time"))
        freshness = kind_freshness(self._hours, slot, limit, now)
        return KindStatus(
            dataset=snapshot.path,
            freshness=freshness if slot is not None or not fields else Freshness.UNKNOWN,
            limit_seconds=limit,
            last_slot=slot,
            age_seconds=None if slot is None else (now - slot).total_seconds(),
            record_keys=self._stores.latest.record_count(snapshot),
        )

    @cached_property
    def _hours(self) -> OpenHours:
        return open_hours(self._settings)

    @cached_property
    def _stores(self) -> TtStores:
        return TtStores.open(self._settings, patient=False)

    @cached_property
    def _protection(self) -> Protection:
        return Protection(api_limits(self._settings.tt), self._stores.connections.redis)


def health_section(settings: Settings) -> HealthSection:
    """The section, as `monitor.sections` finds it."""
    return TtSection(settings)
