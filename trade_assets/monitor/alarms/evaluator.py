"""The evaluator: looks at conditions, and has those told of a change who must hear of it.

Any number of processes may look at the same conditions. Each notice is told to each channel once;
only where a process dies (or stands still for a whole lease) between telling and noting that it
told, the channel hears it again: that is the price of never hearing nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import redis

from trade_assets.monitor.alarms.alarm_state import AlarmState
from trade_assets.monitor.alarms.conditions import Condition
from trade_assets.monitor.alarms.notifier import Notifier
from trade_assets.monitor.alarms.state_store import AlarmStateStore, Held, OpenEpisode

LEASE_SECONDS: Final = 60.0
"""Longer than any channel takes for a notice; it is renewed before each."""


@dataclass(slots=True)
class Looked:
    """What a look did: notices told, as `<alarm> began` or `<alarm> ended`, and what failed."""

    told: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


class AlarmEvaluator:
    """Turns conditions into notices, once an episode, over all processes. Thread-safe."""

    def __init__(
        self,
        notifier: Notifier,
        client: "redis.Redis",
        *,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        """`client`: of the Redis in which all processes keep the states; stays the caller's."""
        self._notifier = notifier
        self._states = AlarmStateStore(client, lease_seconds)

    def look(self, conditions: Iterable[Condition], now: datetime) -> Looked:
        """Open and end episodes by these conditions, seen at `now` (UTC), and tell what is due.

        A channel that fails is not asked again in this look; the next look tries it again, with
        this notice and for this channel only. Takes as long as the channels take to be told, or
        to fail once.

        Raises:
            StoreUnavailableError: Redis cannot be reached; nothing is known, so nothing is told
                (or told but not noted). The next look does it.
        """
        looked = Looked()
        for condition in conditions:
            self._look(condition, now, looked)
        return looked

    def open_episodes(self) -> list[OpenEpisode]:
        """Alarms that are on, by name."""
        return self._states.open_episodes()

    def close(self) -> None:
        """Give the notifier's connections back; the Redis client is the caller's."""
        self._notifier.close()

    def _look(self, condition: Condition, now: datetime, looked: Looked) -> None:
        # Nearly every look finds nothing to do, and shall cost one command.
        if not self._has_work(self._states.read(condition.name), condition, now):
            return
        with self._states.hold(condition.name) as held:
            # Whoever holds it sees the same, or the next look does.
            if held is not None:
                held.write(held.state.observe(condition, now))
                self._tell(held, condition.name, looked)
                held.write(held.state.settled(self._notifier.channels))

    def _has_work(self, state: AlarmState, condition: Condition, now: datetime) -> bool:
        if state.observe(condition, now) is not state:
            return True
        return any(True for _ in state.due(condition.name, self._notifier.channels))

    def _tell(self, held: Held, name: str, looked: Looked) -> None:
        """Tell what is due, noting each channel's success at once."""
        while True:
            channels = [item for item in self._notifier.channels if item not in looked.failed]
            due = next(held.state.due(name, channels), None)
            if due is None:
                return
            held.renew()
            told = self._notifier.tell(due.notice, only=(due.channel,))
            if told.failed:
                looked.failed.update(told.failed)
                continue
            state = held.state.after(due)
            held.write(state)
            end = "began" if due.notice.ended_at is None else "ended"
            looked.told.append(f"{name} {end} {due.channel}")
