"""Episodes: how an alarm's state follows from what was observed of its condition. Pure, no I/O.

An episode opens when the condition is active and none is open, and ends when it is not. It has two
notices, and each channel is told them in order; `told` counts how many it was told. An episode is
kept until every channel knows of its end. Keeping it in Redis is in `state_store`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from trade_assets.monitor.alarms.conditions import Condition
from trade_assets.monitor.alarms.notices import Notice

MOST_KEPT: Final = 10
"""Episodes kept for a channel that takes nothing; then the oldest are given up."""

LATE: Final = timedelta(minutes=1)
"""What was observed this long before the last change came late and counts no more. What is older
was observed by a clock that was put back, and counts."""


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of time in which an alarm's condition was active. Times are in UTC."""

    title: str
    detail: str
    began_at: datetime
    ended_at: datetime | None = None
    end_detail: str = ""
    told: Mapping[str, int] = field(default_factory=dict)

    def notices(self, name: str) -> tuple[Notice, ...]:
        """What is to be told of it so far: its beginning, and its end."""
        began = Notice(name, self.title, self.detail, self.began_at)
        if self.ended_at is None:
            return (began,)
        return began, Notice(name, self.title, self.end_detail, self.began_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class Due:
    """A notice that a channel has not been told; `index` is its episode's in the state."""

    index: int
    channel: str
    notice: Notice


@dataclass(frozen=True, slots=True)
class AlarmState:
    """What is remembered of one alarm: episodes, oldest first; only the last can be open."""

    episodes: tuple[Episode, ...] = ()
    changed_at: datetime | None = None

    @property
    def open(self) -> Episode | None:
        """The episode that lasts, if there is one."""
        last = self.episodes[-1] if self.episodes else None
        return last if last is not None and last.ended_at is None else None

    def observe(self, condition: Condition, now: datetime) -> "AlarmState":
        """The state after the condition was seen at `now`; itself where nothing changes."""
        if condition.active is None or self._is_late(now):
            return self
        current = self.open
        if condition.active and current is None:
            episode = Episode(condition.title, condition.detail, now)
            return AlarmState((*self.episodes, episode)[-MOST_KEPT:], now)
        if not condition.active and current is not None:
            ended = replace(current, ended_at=now, end_detail=condition.detail)
            return AlarmState((*self.episodes[:-1], ended), now)
        return self

    def due(self, name: str, channels: Collection[str]) -> Iterator[Due]:
        """Notices that channels have not been told, in the order of time."""
        for index, episode in enumerate(self.episodes):
            for number, notice in enumerate(episode.notices(name)):
                for channel in channels:
                    if episode.told.get(channel, 0) <= number:
                        yield Due(index, channel, notice)

    def after(self, due: Due) -> "AlarmState":
        """The state after that notice was told."""
        episode = self.episodes[due.index]
        count = 1 if due.notice.ended_at is None else 2
        told = replace(episode, told={**episode.told, due.channel: count})
        kept = (*self.episodes[: due.index], told, *self.episodes[due.index + 1 :])
        return replace(self, episodes=kept)

    def settled(self, channels: Collection[str]) -> "AlarmState":
        """The state without the episodes whose end every channel was told."""
        kept = tuple(
            episode
            for episode in self.episodes
            if episode.ended_at is None
            or any(episode.told.get(channel, 0) < 2 for channel in channels)
        )
        return self if len(kept) == len(self.episodes) else replace(self, episodes=kept)

    def _is_late(self, now: datetime) -> bool:
        if self.changed_at is None:
            return False
        return timedelta() <= self.changed_at - now <= LATE


def to_text(state: AlarmState) -> str:
    """JSON of a state; the same for equal states."""
    return orjson.dumps(state, option=orjson.OPT_SORT_KEYS).decode()


def from_text(text: str) -> AlarmState:
    """The state of such a JSON.

    Raises:
        ValueError, TypeError, KeyError, AttributeError: it is not one.
    """
    raw = orjson.loads(text)
    return AlarmState(tuple(map(_episode, raw["episodes"])), _time(raw["changed_at"]))


def _episode(raw: dict[str, Any]) -> Episode:
    began_at = _time(raw["began_at"])
    if began_at is None:
        raise ValueError("an episode without a beginning")
    times = {"began_at": began_at, "ended_at": _time(raw["ended_at"])}
    return Episode(**{**raw, **times})


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
