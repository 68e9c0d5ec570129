"""What was set aside for a person: dead letters and quarantined files, looked at, left alone.

Bounded reading only; what puts files here is the stream, and what takes them out is a rerun.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.datasets.keys import ERROR_SUFFIX, QUARANTINE_PREFIX, feed_prefix
from trade_assets.errors import TradeAssetsError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.settings import TtEnvironment
from trade_assets.stores.aws import as_store_error
from trade_assets.stores.s3.objects import ObjectInfo, ObjectStore
from trade_assets.stores.sqs.notifications import QUEUE_BATCH, announcements
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.snapshot_keys import snapshot_prefix

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

LOOKED_AT_KEYS: Final = 1000
"""Keys of one listing of the quarantine; a file that is set aside has two."""
PEEKS: Final = 3
"""Requests for dead letters: a short poll of SQS asks only some of its servers."""
BODY_SHOWN: Final = 200

_LOOK_BACKS: Final = (timedelta(days=30), timedelta(days=7), timedelta(days=1), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notification that was given up. `sent_at` is S3's; `body` is set only where no file key
    could be read from it, and is cut short."""

    message_id: str
    sent_at: datetime
    keys: tuple[str, ...]
    body: str | None


@dataclass(frozen=True, slots=True)
class QuarantinedFile:
    """A file in quarantine under its original key. `reason` is None if no report lies beside it."""

    key: str
    quarantined_at: datetime
    reason: str | None
    row_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The quarantine: `files` counted, at least so many if `more`, and the newest of them."""

    files: int
    more: bool
    newest: tuple[QuarantinedFile, ...]


def peek_dead_letters(sqs: "SQSClient", queue_url: str, limit: int = 10) -> list[DeadLetter]:
    """Up to `limit` dead letters, oldest first. They stay, and stay visible to everybody else."""
    seen: dict[str, DeadLetter] = {}
    for _ in range(PEEKS):
        try:
            answer = sqs.receive_message(
                QueueUrl=queue_url,
                MaxNumberOfMessages=QUEUE_BATCH,
                VisibilityTimeout=0,
                WaitTimeSeconds=0,
                AttributeNames=["SentTimestamp"],
            )
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, "looking at the dead letters") from error
        for message in answer.get("Messages", []):
            letter = _dead_letter(message)
            seen[letter.message_id] = letter
        if len(seen) >= limit:
            break
    return sorted(seen.values(), key=lambda letter: letter.sent_at)[:limit]


def look_into_quarantine(objects: ObjectStore, now: datetime, limit: int = 10) -> Quarantine:
    """How much is in quarantine, and the newest `limit` files with their reasons.

    Lists at most `LOOKED_AT_KEYS` keys at a time. Where there are more, "newest" goes by the hour
    in which a file landed, and files that no feed claims are not looked for.
    """
    found, more = _listed(objects, QUARANTINE_PREFIX, None)
    if more:
        found = [info for prefix in _prefixes() for info in _newest_of(objects, prefix, now)]
    reports = {info.key for info in found if info.key.endswith(ERROR_SUFFIX)}
    files = [info for info in found if info.key not in reports]
    newest = sorted(files, key=lambda info: (info.landed_at, info.key), reverse=True)[:limit]
    details = _reports(objects, [f"{info.key}{ERROR_SUFFIX}" for info in newest])
    return Quarantine(
        files=len(files),
        more=more,
        newest=tuple(_described(*pair) for pair in zip(newest, details, strict=True)),
    )


def _dead_letter(message: "MessageTypeDef") -> DeadLetter:
    body = message.get("Body", "")
    sent_ms = int(message.get("Attributes", {}).get("SentTimestamp", "0"))
    keys = tuple(announced.key for announced in announcements(body) or ())
    return DeadLetter(
        message_id=message.get("MessageId", ""),
        sent_at=datetime.fromtimestamp(sent_ms / 1000, UTC),
        keys=keys,
        body=None if keys else body[:BODY_SHOWN],
    )


def _listed(objects: ObjectStore, prefix: str, after: str | None) -> tuple[list[ObjectInfo], bool]:
    """The first keys below a prefix, and whether there are more."""
    found = list(islice(objects.list_after(prefix, after), LOOKED_AT_KEYS + 1))
    return found[:LOOKED_AT_KEYS], len(found) > LOOKED_AT_KEYS


def _prefixes() -> Iterator[str]:
    """Below which what is in quarantine once was: of every feed, and of every kind of snapshot."""
    yield from map(feed_prefix, FEEDS.values())
    for environment in TtEnvironment:
        yield from (snapshot_prefix(environment.value, kind) for kind in SNAPSHOTS_BY_KIND)


def _newest_of(objects: ObjectStore, prefix: str, now: datetime) -> list[ObjectInfo]:
    """Quarantined files of a feed from its last hours: as far back as one listing reaches."""
    whole = f"{QUARANTINE_PREFIX}{prefix}"
    found, more = _listed(objects, whole, None)
    for look_back in _LOOK_BACKS:
        if not more:
            break
        newer, still_more = _listed(objects, whole, f"{whole}{now - look_back:dt=%Y-%m-%d/hh=%H}")
        if not newer:
            break
        found, more = newer, still_more
    return found


def _reports(objects: ObjectStore, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The reports beside quarantined files; empty where there is none that can be read."""
    if not keys:
        return []
    return [_report(loaded) for loaded in objects.get_many(keys)]


def _report(loaded: Any) -> dict[str, Any]:
    if isinstance(loaded, TradeAssetsError):
        return {}
    try:
        report = orjson.loads(loaded.data)
    except orjson.JSONDecodeError:
        return {}
    return report if isinstance(report, dict) else {}


def _described(info: ObjectInfo, report: dict[str, Any]) -> QuarantinedFile:
    reason = report.get("reason")
    rows = report.get("row_numbers")
    return QuarantinedFile(
        key=info.key.removeprefix(QUARANTINE_PREFIX),
        quarantined_at=info.landed_at,
        reason=None if reason is None else str(reason),
        row_numbers=tuple(row for row in rows if isinstance(row, int))
        if isinstance(rows, list)
        else (),
    )
