"""The bucket sensor: keeps one stream run alive, finds unannounced files, reports freshness.

With the stream switched off (`TRADE_ASSETS_STREAM_ENABLED=false`) it carries the feeds alone: every
new file is one that no stream will take, and goes into one run a tick.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from trade_assets.datasets.keys import PARTITION_FORMAT, FeedKey, parse_feed_key
from trade_assets.defs.feeds.arrival_checks import freshness_outcome
from trade_assets.defs.feeds.book_beats import BookBeats
from trade_assets.defs.feeds.hour_job import hour_run_request
from trade_assets.defs.feeds.stream_run import feed_stream
from trade_assets.defs.feeds.stream_supervisor import keep_stream
from trade_assets.defs.shared.dagster_terms import UNFINISHED, AssetJob
from trade_assets.defs.shared.hour_assets import HOURS_PER_RUN
from trade_assets.defs.shared.names import BUCKET_SENSOR, HOUR_JOB, STREAM_JOB
from trade_assets.errors import TradeAssetsError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.stream.discovery import (
    ATTEMPTS,
    BACKLOG_MESSAGES,
    BucketScanner,
    ScanCursor,
)
from trade_assets.feeds.stream.given_up import clear_stored
from trade_assets.feeds.stream.heartbeats import SureHeartbeats
from trade_assets.feeds.stream.owed import OwedFiles
from trade_assets.ingest.json_cursor import JsonCursor
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import ObjectInfo

FRESHNESS_EVERY_SECONDS: Final = 60.0
RETRY_AFTER_SECONDS: Final = 30.0
"""Pause before files that a run did not settle are requested again, times the attempts."""
FEWER_BY: Final = 4
"""An attempt is for so many times fewer files than the one before."""

Missed = tuple[ObjectInfo, FeedKey]
"""A file that nobody announced, and its key taken apart."""


@dataclass
class SensorCursor(JsonCursor):
    """What the sensor remembers between ticks; bounded by the number of feeds.

    `freshness` holds, by feed path, the last reported result and when it was reported.
    """

    scan: str | None = None
    freshness: dict[str, tuple[bool, float]] = field(default_factory=dict)


def bucket_sensor(settings: Settings, job: AssetJob, first: datetime) -> dg.SensorDefinition:
    """The sensor over the bucket, the queue and the stream's heartbeat.

    `first` is the first hour that is a partition here: files of an older one wait until the
    definitions are loaded again.
    """

    @dg.sensor(
        name=BUCKET_SENSOR,
        jobs=[feed_stream, job],
        # The daemon looks every 5 s; 0 would mean 30.
        minimum_interval_seconds=1,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps one stream run alive and ingests files that no event announced.",
    )
    def feed_bucket(
        context: dg.SensorEvaluationContext, quick_feed_stores: dg.ResourceParam[FeedStores]
    ) -> dg.SensorResult:
        stores = quick_feed_stores
        cursor = SensorCursor.from_json(context.cursor)
        requests: list[dg.RunRequest] = []
        notes: list[str] = []
        events: list[dg.AssetCheckEvaluation] = []
        instance = context.instance
        tasks: list[Callable[[], str]] = [
            lambda: _ingest_missed(instance, stores, cursor, requests, first),
            lambda: _clear_dead_letters(stores),
            lambda: _freshness(stores, cursor, events),
        ]
        if settings.stream.enabled:
            tasks.insert(0, lambda: _keep_stream(instance, stores, requests))
        for task in tasks:
            try:
                notes.append(task())
            except TradeAssetsError as error:
                notes.append(str(error))  # each reads other stores than the one before
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else "; ".join(note for note in notes if note),
            cursor=cursor.to_json(),
            asset_events=events,
        )

    return feed_bucket


def _keep_stream(
    instance: dg.DagsterInstance, stores: FeedStores, requests: list[dg.RunRequest]
) -> str:
    beats = SureHeartbeats(stores.heartbeats, BookBeats(instance)).alive()
    decision = keep_stream(instance, stores.settings, beats)
    if decision.request:
        requests.append(
            dg.RunRequest(job_name=STREAM_JOB, tags={"trade_assets/reason": decision.reason})
        )
    return decision.reason


def _ingest_missed(
    instance: dg.DagsterInstance,
    stores: FeedStores,
    cursor: SensorCursor,
    requests: list[dg.RunRequest],
    first: datetime,
) -> str:
    """Request one run for files that are in the bucket and in no ledger; says what it found."""
    settings = stores.settings
    waiting = stores.queue.depth().waiting if settings.stream.enabled else 0
    if waiting > BACKLOG_MESSAGES:
        return f"{waiting} notifications wait; looking for missed files when they are through"
    age = timedelta(seconds=settings.arrival.missed_after_seconds if settings.stream.enabled else 0)
    scanner = BucketScanner(stores, age)
    scan_cursor = ScanCursor.from_json(cursor.scan)
    now = datetime.now(UTC)
    found = scanner.scan(scan_cursor, now)
    note = f"{found.examined} keys looked at, {len(found.missed)} to ingest"
    missed, too_old = _parted(found.missed, first)
    if too_old:
        stores.first_hour.note(too_old)
        note += (
            f"; partitions are to begin at {too_old:{PARTITION_FORMAT}}, older files wait for it"
        )
    if not missed:
        scan_cursor.blocked = None
    elif settings.stream.enabled and OwedFiles(stores.objects).any():
        note += "; stores are owed files, which the stream writes"
    elif _busy(instance):
        note += "; a run for earlier ones is under way"
    else:
        # An error while Redis is away: a run could settle nothing then, and would count.
        stores.heartbeats.alive()
        wanted = _first_hours(missed)
        attempt = _attempt(scan_cursor, wanted[0], now)
        if attempt > ATTEMPTS:
            # The last run was of this file alone; the others begin anew behind it.
            scanner.give_up([wanted[0][0]], now)
        elif attempt:
            some = wanted[: _files_of(attempt, len(wanted))]
            requests.append(_run_request(some, attempt, scan_cursor.generation))
    cursor.scan = scan_cursor.to_json()
    return note


def _clear_dead_letters(stores: FeedStores) -> str:
    cleared = clear_stored(stores) if stores.queue.depth().dead else 0
    return f"{cleared} dead letters cleared: their files are stored" if cleared else ""


def _busy(instance: dg.DagsterInstance) -> bool:
    runs = instance.get_runs(dg.RunsFilter(job_name=HOUR_JOB, statuses=UNFINISHED), limit=1)
    return bool(runs)


def _parted(missed: list[ObjectInfo], first: datetime) -> tuple[list[Missed], datetime | None]:
    """The missed files of hours that are partitions, and the first hour of those that are not."""
    parsed = [(info, parse_feed_key(info.key)) for info in missed]
    too_old = [key.hour for _, key in parsed if key.hour < first]
    return [item for item in parsed if item[1].hour >= first], min(too_old, default=None)


def _first_hours(parsed: list[Missed]) -> list[Missed]:
    """The missed files of the first hours that follow on each other, at most a run's worth."""
    first = previous = min(key.hour for _, key in parsed)
    last = first + timedelta(hours=HOURS_PER_RUN - 1)
    taken: list[Missed] = []
    for info, key in sorted(parsed, key=lambda pair: pair[1].hour):
        if key.hour > last or key.hour - previous > timedelta(hours=1):
            break
        previous = key.hour
        taken.append((info, key))
    return taken


def _files_of(attempt: int, wanted: int) -> int:
    """How many files an attempt is for: a run that dies of one file must not cost the others, so
    each attempt is for fewer of them, and the last one for the first file alone."""
    return 1 if attempt == ATTEMPTS else max(1, wanted // FEWER_BY ** (attempt - 1))


def _attempt(cursor: ScanCursor, first: Missed, now: datetime) -> int:
    """Number of this attempt on the first missed file; 0 if it is too early for another."""
    identity = f"{first[0].key}#{first[0].etag}"
    if cursor.blocked is None or cursor.blocked[0] != identity:
        cursor.blocked = [identity, 1, now.timestamp()]
        return 1
    _, attempts, at = cursor.blocked
    if now.timestamp() - at < RETRY_AFTER_SECONDS * attempts:
        return 0
    cursor.blocked = [identity, attempts + 1, now.timestamp()]
    return int(attempts) + 1


def _run_request(wanted: list[Missed], attempt: int, generation: str | None) -> dg.RunRequest:
    files: dict[str, list[str]] = {}
    for info, key in wanted:
        files.setdefault(key.feed.path, []).append(info.key)
    hours = sorted({key.partition for _, key in wanted})
    digest = hashlib.sha256(
        "\n".join(f"{info.key}#{info.etag}" for info, _ in wanted).encode()
    ).hexdigest()
    run_key = f"{hours[0]}/{digest[:16]}/{generation}/{attempt}"
    return hour_run_request(hours, files, run_key)


def _freshness(
    stores: FeedStores, cursor: SensorCursor, events: list[dg.AssetCheckEvaluation]
) -> str:
    """Freshness of every feed when it changes; the stream says itself that a feed is fresh.

    Without the stream also every minute: then nobody else says it.
    """
    now = time.time()
    for feed in FEEDS.values():
        outcome = freshness_outcome(stores, feed)
        passed, reported_at = cursor.freshness.get(feed.path, (True, 0.0))
        due = not stores.settings.stream.enabled and now - reported_at >= FRESHNESS_EVERY_SECONDS
        if outcome.passed is passed and not due:
            continue
        cursor.freshness[feed.path] = (outcome.passed, now)
        events.append(outcome.as_evaluation())
    return ""
