"""How fresh a data set is: the words for it, its limit, and the times of its status in Redis.

What feeds and snapshots share of it; what makes one of them stale is the concept's own matter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trade_assets.datasets.dataset import ParsedDataset
    from trade_assets.settings import Settings


class Freshness(StrEnum):
    """How a data set is doing."""

    OK = "ok"
    STALE = "stale"  # nothing new was stored within its limit
    EMPTY = "empty"  # nothing was ever stored
    AHEAD = "ahead"  # dated later than anything can be: what comes is not taken for newer
    UNKNOWN = "unknown"  # Redis is away, or its status is not readable


def freshness_limit(settings: Settings, dataset: ParsedDataset) -> float:
    """Seconds after which a data set without anything new is stale."""
    return settings.arrival.freshness_seconds.get(dataset.path, dataset.freshness_seconds)


def ahead_seconds(
    settings: Settings, dataset: ParsedDataset, now: datetime, *times: datetime | None
) -> float | None:
    """How far the latest of the (aware) times of a status is ahead of the clock; None if all of
    them can be."""
    latest = max((time for time in times if time is not None), default=now)
    possible = latest <= dataset.latest_time(now, settings.arrival.ahead_seconds)
    return None if possible else (latest - now).total_seconds()


def status_time(text: str | None) -> datetime | None:
    """A time of a status (UTC); None where there is none that can be read."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None
