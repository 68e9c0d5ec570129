"""The feeds' section of the health: every feed, the stream runs that are alive, and what stores are
owed of files that came while they were away."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.feed_status import (
    FeedStatus,
    feed_status,
    freshness_text,
    unknown_feeds,
)
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.feeds.stream.owed import OwedFiles, OwedSummary
from trade_assets.monitor.freshness import Freshness
from trade_assets.monitor.sections import HealthSection, Look, StorePart
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import LIST_PAGE


@dataclass(frozen=True, slots=True)
class StreamRunStatus:
    """A stream run that is alive. One that is not `consuming` is finishing; one that `hands_over`
    has come to the end of its window."""

    run_id: str
    window_ends_at: datetime
    files: int
    consuming: bool
    hands_over: bool = False


@dataclass(frozen=True, slots=True)
class FeedsStatus:
    """One look. `stream_runs` is None where Redis could not be looked at, `owed` where the bucket
    could not."""

    feeds: tuple[FeedStatus, ...]
    stream_enabled: bool
    stream_runs: tuple[StreamRunStatus, ...] | None
    owed: tuple[OwedSummary, ...] | None = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Feeds that are not fresh, a stream that does not run, and what stores are owed. Gaps are
        none: they are files that the desk did not send."""
        found = [
            f"{feed.feed}: {freshness_text(feed)}"
            for feed in self.feeds
            if feed.freshness is not Freshness.OK
        ]
        runs = self.stream_runs
        if self.stream_enabled and runs is not None:
            found += too_few_or_many(runs)
        return (*found, *map(owed_text, self.owed or ()))

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _InRedis:
    """What Redis knows."""

    feeds: tuple[FeedStatus, ...]
    runs: tuple[StreamRunStatus, ...]


class FeedsSection:
    """Looks at what Redis holds of the feeds; keeps its connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores = FeedStores.open(settings, patient=False)
        self.looks: Mapping[StorePart, Look] = {
            StorePart.S3: lambda _: tuple(OwedFiles(self._stores.objects).summary()),
            StorePart.REDIS: self._look_at_redis,
        }
        self.local_parts: Mapping[str, str] = {}

    def status(self, now: datetime, found: Mapping[StorePart, Any]) -> FeedsStatus:
        """What was found."""
        in_redis: _InRedis | None = found.get(StorePart.REDIS)
        return FeedsStatus(
            feeds=unknown_feeds(self._settings) if in_redis is None else in_redis.feeds,
            stream_enabled=self._settings.stream.enabled,
            stream_runs=None if in_redis is None else in_redis.runs,
            owed=found.get(StorePart.S3),
        )

    def close(self) -> None:
        """Give connections back."""
        self._stores.close()

    def _look_at_redis(self, now: datetime) -> _InRedis:
        return _InRedis(
            runs=tuple(self.run_status(beat, now) for beat in self._stores.heartbeats.alive()),
            feeds=tuple(feed_status(self._stores, feed, now) for feed in FEEDS.values()),
        )

    def run_status(self, beat: StreamBeat, now: datetime) -> StreamRunStatus:
        """A stream run by its beat."""
        ends = datetime.fromtimestamp(beat.window_ends_at, UTC)
        lead = timedelta(seconds=self._settings.stream.rollover_lead_seconds)
        return StreamRunStatus(beat.run_id, ends, beat.files, beat.consuming, ends - now <= lead)


def too_few_or_many(runs: Sequence[StreamRunStatus]) -> list[str]:
    """What is wrong with the number of consuming runs: one is wanted, and beside it its
    predecessor while that hands over."""
    consuming = [run for run in runs if run.consuming]
    if not consuming:
        return ["stream: no run is consuming"]
    staying = [run for run in consuming if not run.hands_over]
    if len(staying) <= 1 and len(consuming) <= 2:
        return []
    return [f"stream: {len(consuming)} runs are consuming, one is wanted"]


def owed_text(owed: OwedSummary) -> str:
    """What a store is owed, in words."""
    count = f"{owed.markers}" if owed.markers < LIST_PAGE else f"{LIST_PAGE} or more"
    return (
        f"{owed.store}: is owed {count} batches of files since {owed.since:%H:%M:%S} UTC; "
        "they are written when it is back"
    )


def health_section(settings: Settings) -> HealthSection:
    """The section, as `monitor.sections` finds it."""
    return FeedsSection(settings)
