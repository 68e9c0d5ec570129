"""One look at everything: which parts answer, how fresh each feed is, what waits and what failed.

For people and monitors. Every reading is bounded, and a part that is away is part of the answer.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.errors import StoreRejectedError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.health import (
    FeedStatus,
    Freshness,
    feed_status,
    freshness_text,
    unknown_feeds,
)
from trade_assets.monitor.part_status import IMPATIENT, PartLooker, PartStatus
from trade_assets.monitor.set_aside import (
    DeadLetter,
    Quarantine,
    look_into_quarantine,
    peek_dead_letters,
)
from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import as_store_error, dynamodb_client, s3_client, sqs_client
from trade_assets.stores.connections import Stores
from trade_assets.stores.sqs.notifications import QueueDepth
from trade_assets.tt.health import TtInRedis, TtLog, TtObserver, TtStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class StreamRunStatus:
    """A stream run that is alive. One that is not `consuming` is finishing."""

    run_id: str
    window_ends_at: datetime
    files: int
    consuming: bool


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Notifications waiting and on the way, and up to ten of those that were given up."""

    depth: QueueDepth
    dead_letters: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """One look. What is None could not be looked at; `parts` says why."""

    time: datetime
    profile: str
    namespace: str
    parts: tuple[PartStatus, ...]
    feeds: tuple[FeedStatus, ...]
    stream_enabled: bool
    stream_runs: tuple[StreamRunStatus, ...] | None
    queue: QueueStatus | None
    quarantine: Quarantine | None
    tt: TtStatus

    @property
    def problems(self) -> tuple[str, ...]:
        """What is down, stale or given up; empty when healthy. Quarantined files and gaps are none:
        they are the desk's broken and missing files, and listed as such."""
        found = [f"{part.name}: {part.problem}" for part in self.parts if part.problem]
        found += [
            f"{feed.feed}: {freshness_text(feed)}"
            for feed in self.feeds
            if feed.freshness is not Freshness.OK
        ]
        runs = self.stream_runs
        if self.stream_enabled and runs is not None and not any(run.consuming for run in runs):
            found.append("stream: no run is consuming")
        if self.queue is not None and self.queue.depth.dead:
            found.append(f"queue: dead letters: {self.queue.depth.dead}")
        return (*found, *self.tt.problems)

    def as_dict(self) -> dict[str, Any]:
        """All of it, and the verdict, for JSON."""
        problems = self.problems
        seen = {**asdict(self), "tt": self.tt.as_dict()}
        return {"healthy": not problems, "problems": problems, **seen}


@dataclass(frozen=True, slots=True)
class _InAws:
    """What AWS knows."""

    parts: tuple[PartStatus, ...]
    queue: QueueStatus | None
    quarantine: Quarantine | None
    slots: TtLog | None


@dataclass(frozen=True, slots=True)
class _InRedis:
    """What Redis knows."""

    feeds: tuple[FeedStatus, ...]
    runs: tuple[StreamRunStatus, ...]
    tt: TtInRedis


class Observer:
    """Looks at everything, as often as asked; keeps its connections. One look at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores = Stores(settings)
        self._tt = TtObserver(settings, self._stores)
        self._parts = PartLooker(settings)
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="overview")

    def look(self) -> Overview:
        """One look; what is away takes seconds at most, and shows in the result."""
        settings, now = self._settings, datetime.now(UTC)
        # Sessions of boto3 make clients in one thread only, so AWS is looked at in one.
        aws = self._pool.submit(self._look_at_aws, now)
        redis = self._pool.submit(
            self._parts.look, "Redis", settings.redis_display_url, lambda: self._look_at_redis(now)
        )
        others = self._pool.submit(self._look_at_local_parts)
        in_aws = aws.result()
        redis_part, in_redis = redis.result()
        return Overview(
            time=now,
            profile=settings.profile.value,
            namespace=settings.namespace,
            parts=(*in_aws.parts, redis_part, *others.result()),
            feeds=unknown_feeds(settings) if in_redis is None else in_redis.feeds,
            stream_enabled=settings.stream.enabled,
            stream_runs=None if in_redis is None else in_redis.runs,
            queue=in_aws.queue,
            quarantine=in_aws.quarantine,
            tt=self._tt.compose(now, None if in_redis is None else in_redis.tt, in_aws.slots),
        )

    def close(self) -> None:
        """Give threads and connections back."""
        self._pool.shutdown()
        self._tt.close()
        self._stores.close()
        self._parts.close()
        for name in ("_s3", "_sqs", "_dynamodb"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def __enter__(self) -> "Observer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _look_at_aws(self, now: datetime) -> _InAws:
        settings = self._settings
        endpoint = settings.aws_endpoint or f"AWS {settings.stores.aws_region}"
        s3, quarantine = self._parts.look(
            "S3", f"{endpoint} s3://{settings.bucket}", lambda: self._quarantine(now)
        )
        sqs, queue = self._parts.look("SQS", f"{endpoint} {settings.queue_name}", self._queue)
        tables = f"{settings.history_table}, {settings.ledger_table}"
        dynamodb, slots = self._parts.look(
            "DynamoDB", f"{endpoint} {tables}", lambda: self._tables(now)
        )
        return _InAws((s3, sqs, dynamodb), queue, quarantine, slots)

    def _quarantine(self, now: datetime) -> Quarantine:
        self._parts.require_listener(self._settings.aws_endpoint)
        bucket = self._settings.bucket
        try:
            # Before the listing, which takes whatever answers for an empty bucket.
            self._s3.head_bucket(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the bucket {bucket}") from error
        return look_into_quarantine(self._stores.objects, now)

    def _queue(self) -> QueueStatus:
        self._parts.require_listener(self._settings.aws_endpoint)
        name = self._settings.dead_letter_queue_name
        try:
            # Before `FeedQueue`, whose clients try longer than a look may take.
            dead_url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the queue {name}") from error
        depth = self._stores.queue.depth()
        letters = peek_dead_letters(self._sqs, dead_url) if depth.dead else []
        return QueueStatus(depth, tuple(letters))

    def _tables(self, now: datetime) -> TtLog:
        self._parts.require_listener(self._settings.aws_endpoint)
        for table in (self._settings.history_table, self._settings.ledger_table):
            try:
                state = self._dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
            except (ClientError, BotoCoreError) as error:
                raise as_store_error(error, f"looking at the table {table}") from error
            if state not in ("ACTIVE", "UPDATING"):
                raise StoreRejectedError(f"the table {table} is {state.lower()}")
        return self._tt.look_at_log(now)

    def _look_at_redis(self, now: datetime) -> _InRedis:
        self._stores.latest.ping()
        runs = tuple(
            StreamRunStatus(
                beat.run_id,
                datetime.fromtimestamp(beat.window_ends_at, UTC),
                beat.files,
                beat.consuming,
            )
            for beat in self._stores.heartbeats.alive()
        )
        feeds = tuple(feed_status(self._stores, feed, now) for feed in FEEDS.values())
        return _InRedis(feeds, runs, self._tt.look_at_redis(now))

    def _look_at_local_parts(self) -> list[PartStatus]:
        """What runs on this machine in the local profile only."""
        settings = self._settings
        if settings.profile is not Profile.LOCAL:
            return []
        parts = [self._parts.dagster()]
        if settings.tt.snapshots_enabled:
            url = settings.tt_url
            found = self._parts.look("TT simulator", url, lambda: self._parts.require_listener(url))
            parts.append(found[0])
        return parts

    @cached_property
    def _s3(self) -> "S3Client":
        return s3_client(self._settings, **IMPATIENT)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return sqs_client(self._settings, **IMPATIENT)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return dynamodb_client(self._settings, **IMPATIENT)
