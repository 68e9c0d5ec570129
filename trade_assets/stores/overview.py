"""One look at everything: which parts answer, how fresh each feed is, what waits and what failed.

For people and monitors. Every reading is bounded, and a part that is away is part of the answer.
"""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

import orjson
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.errors import PermanentError, StoreRejectedError, StoreUnavailableError
from trade_assets.feeds.registry import FEEDS
from trade_assets.logs import known_secrets, redact
from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import as_store_error, dynamodb_client, s3_client, sqs_client
from trade_assets.stores.bundle import Stores
from trade_assets.stores.feed_status import (
    FeedStatus,
    Freshness,
    feed_status,
    freshness_text,
    unknown_feeds,
)
from trade_assets.stores.queue import QueueDepth
from trade_assets.stores.set_aside import (
    DeadLetter,
    Quarantine,
    look_into_quarantine,
    peek_dead_letters,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

CONNECT_SECONDS: Final = 2
READ_SECONDS: Final = 5

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part of the platform: whether it answers, and what is wrong with it if anything is."""

    name: str
    where: str
    reachable: bool
    problem: str | None = None


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
        return tuple(found)

    def as_dict(self) -> dict[str, Any]:
        """All of it, and the verdict, for JSON."""
        problems = self.problems
        return {"healthy": not problems, "problems": problems, **asdict(self)}


class Observer:
    """Looks at everything, as often as asked; keeps its connections. One look at a time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stores = Stores(settings)
        self._secrets = known_secrets(settings)
        self._pool = ThreadPoolExecutor(3, thread_name_prefix="overview")
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS), retries=False
        )

    def look(self) -> Overview:
        """One look; what is away takes seconds at most, and shows in the result."""
        settings, now = self._settings, datetime.now(UTC)
        # Sessions of boto3 make clients in one thread only, so AWS is looked at in one.
        aws = self._pool.submit(self._look_at_aws, now)
        redis = self._pool.submit(
            self._part, "Redis", settings.redis_display_url, lambda: self._look_at_redis(now)
        )
        others = self._pool.submit(self._look_at_dagster)
        aws_parts, queue, quarantine = aws.result()
        redis_part, in_redis = redis.result()
        feeds, runs = in_redis or (unknown_feeds(settings), None)
        return Overview(
            time=now,
            profile=settings.profile.value,
            namespace=settings.namespace,
            parts=(*aws_parts, redis_part, *others.result()),
            feeds=feeds,
            stream_enabled=settings.stream_enabled,
            stream_runs=runs,
            queue=queue,
            quarantine=quarantine,
        )

    def close(self) -> None:
        """Give threads and connections back."""
        self._pool.shutdown()
        self._stores.close()
        self._http.clear()
        for name in ("_s3", "_sqs", "_dynamodb"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def __enter__(self) -> "Observer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _part(
        self, name: str, where: str, look: Callable[[], Found]
    ) -> tuple[PartStatus, Found | None]:
        """Look at a part: its status, and what was found if it could be looked at."""
        try:
            found = look()
        # Whatever a part answers, or who answers in its place: the others still show.
        except Exception as error:
            answered = isinstance(error, PermanentError)
            text = str(error) if answered else _text(error)
            return PartStatus(name, where, answered, redact(text, self._secrets)), None
        return PartStatus(name, where, reachable=True), found

    def _look_at_aws(
        self, now: datetime
    ) -> tuple[list[PartStatus], QueueStatus | None, Quarantine | None]:
        settings = self._settings
        endpoint = settings.aws_endpoint or f"AWS {settings.aws_region}"
        s3, quarantine = self._part(
            "S3", f"{endpoint} s3://{settings.bucket}", lambda: self._quarantine(now)
        )
        sqs, queue = self._part("SQS", f"{endpoint} {settings.queue_name}", self._queue)
        tables = f"{settings.history_table}, {settings.ledger_table}"
        dynamodb, _ = self._part("DynamoDB", f"{endpoint} {tables}", self._tables)
        return [s3, sqs, dynamodb], queue, quarantine

    def _quarantine(self, now: datetime) -> Quarantine:
        _require_listener(self._settings)
        bucket = self._settings.bucket
        try:
            # Before the listing, which takes whatever answers for an empty bucket.
            self._s3.head_bucket(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the bucket {bucket}") from error
        return look_into_quarantine(self._stores.objects, now)

    def _queue(self) -> QueueStatus:
        _require_listener(self._settings)
        name = self._settings.dead_letter_queue_name
        try:
            # Before `FeedQueue`, whose clients try longer than a look may take.
            dead_url = self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the queue {name}") from error
        depth = self._stores.queue.depth()
        letters = peek_dead_letters(self._sqs, dead_url) if depth.dead else []
        return QueueStatus(depth, tuple(letters))

    def _tables(self) -> None:
        _require_listener(self._settings)
        for table in (self._settings.history_table, self._settings.ledger_table):
            try:
                state = self._dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
            except (ClientError, BotoCoreError) as error:
                raise as_store_error(error, f"looking at the table {table}") from error
            if state not in ("ACTIVE", "UPDATING"):
                raise StoreRejectedError(f"the table {table} is {state.lower()}")

    def _look_at_redis(
        self, now: datetime
    ) -> tuple[tuple[FeedStatus, ...], tuple[StreamRunStatus, ...]]:
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
        return tuple(feed_status(self._stores, feed, now) for feed in FEEDS.values()), runs

    def _look_at_dagster(self) -> list[PartStatus]:
        """Dagster's webserver, which runs on this machine in the local profile only."""
        if self._settings.profile is not Profile.LOCAL:
            return []
        url = f"http://127.0.0.1:{self._settings.dagster_port}"
        return [self._part("Dagster UI", url, lambda: self._ask_dagster(url))[0]]

    def _ask_dagster(self, url: str) -> None:
        try:
            answer = self._http.request("GET", f"{url}/server_info")
        except urllib3.exceptions.HTTPError as error:
            raise _silent(self._settings, url) from error
        try:
            known = "dagster_webserver_version" in orjson.loads(answer.data)
        except orjson.JSONDecodeError:
            known = False
        if answer.status != 200 or not known:
            raise StoreRejectedError(
                f"what answers at {url} is not Dagster (HTTP {answer.status}); "
                "TRADE_ASSETS_DAGSTER_PORT says where it is"
            )

    @cached_property
    def _s3(self) -> "S3Client":
        return s3_client(self._settings, **_IMPATIENT)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return sqs_client(self._settings, **_IMPATIENT)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return dynamodb_client(self._settings, **_IMPATIENT)


_IMPATIENT: Final[dict[str, Any]] = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": READ_SECONDS,
    "retries": {"total_max_attempts": 1},
}


def _require_listener(settings: Settings) -> None:
    """Fail at once where nobody listens: the clients behind would try for seconds."""
    endpoint = settings.aws_endpoint
    if endpoint is None:
        return
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS).close()
    except OSError as error:
        raise _silent(settings, endpoint) from error


def _silent(settings: Settings, url: str) -> StoreUnavailableError:
    hint = " (`trade-assets up` starts it)" if settings.profile is Profile.LOCAL else ""
    return StoreUnavailableError(f"nothing answers at {url}{hint}")


def _text(error: Exception) -> str:
    text = str(error)
    return text if isinstance(error, StoreUnavailableError) else f"{type(error).__name__}: {text}"
