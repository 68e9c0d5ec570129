"""The queue of bucket notifications: SQS, and what S3 writes into it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, unquote_plus

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.errors import StoreUnavailableError
from trade_assets.logs import get_logger
from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, sqs_client
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

log = get_logger(__name__)

QUEUE_BATCH: Final = 10
"""Most messages in one request of SQS."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """A file version that a notification announces; `landed_at` is S3's event time, `version_id`
    empty where the bucket has no versions."""

    key: str
    etag: str
    landed_at: datetime
    version_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was received. `announced` is None where it could not be understood."""

    message_id: str
    handle: str
    receives: int
    announced: tuple[Announcement, ...] | None
    body: str


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Messages waiting, on the way, and given up (approximate, as SQS says)."""

    waiting: int
    in_flight: int
    dead: int


class NotificationQueue:
    """The notification queue. Thread-safe."""

    def __init__(self, settings: Settings, retries: Retries = NO_RETRIES) -> None:
        self._retries = retries
        # Three long polls at a time, and the deleting thread.
        self._sqs: SQSClient = sqs_client(
            settings,
            max_pool_connections=settings.stream.receivers + 4,
            parameter_validation=False,
            retries={"total_max_attempts": 1},
        )
        self._url = self._url_of(settings.queue_name)
        self._dead_url = self._url_of(settings.dead_letter_queue_name)

    @property
    def retries(self) -> Retries:
        """Of every call."""
        return self._retries

    @retried
    def receive(self, wait_seconds: int) -> list[Message]:
        """Up to ten messages; waits for the first one up to `wait_seconds` (at most 20)."""
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=QUEUE_BATCH,
                WaitTimeSeconds=wait_seconds,
                AttributeNames=["ApproximateReceiveCount"],
            )
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, "receiving from the queue") from error
        return [_message(message) for message in answer.get("Messages", [])]

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages that are done with; what SQS refuses to delete comes back by itself.

        Raises:
            StoreUnavailableError: SQS still fails with some of them.
        """
        for part in _tens(messages):
            entries = {
                str(at): {"ReceiptHandle": message.handle} for at, message in enumerate(part)
            }
            self._send(self._sqs.delete_message_batch, entries, "deleting from the queue")

    def postpone(self, messages: Sequence[Message], seconds: int) -> None:
        """Let messages come back after `seconds` (0: at once); also extends those in work.

        Raises:
            StoreUnavailableError: SQS still fails with some of them.
        """
        for part in _tens(messages):
            entries: dict[str, dict[str, Any]] = {
                str(at): {"ReceiptHandle": message.handle, "VisibilityTimeout": seconds}
                for at, message in enumerate(part)
            }
            self._send(self._sqs.change_message_visibility_batch, entries, "postponing messages")

    @retried
    def _send(
        self,
        call: Callable[..., Any],
        pending: dict[str, dict[str, Any]],
        what: str,
        url: str | None = None,
    ) -> None:
        """Send a batch by id, and read its answer: what went well is taken out of `pending`, so
        that another try sends the others only. What is refused for good is told and taken out."""
        entries = [{"Id": identity, **entry} for identity, entry in pending.items()]
        try:
            answer = call(QueueUrl=url or self._url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, what) from error
        failed = {item["Id"]: item for item in answer.get("Failed", [])}
        refused = [item for item in failed.values() if item.get("SenderFault")]
        if refused:
            log.warning(f"{what}: refused", count=len(refused), first=_reason(refused[0]))
        again = [identity for identity, item in failed.items() if not item.get("SenderFault")]
        for identity in [identity for identity in pending if identity not in again]:
            del pending[identity]
        if pending:
            first = _reason(failed[again[0]])
            raise StoreUnavailableError(f"{what}: SQS failed with {len(pending)} of them: {first}")

    @retried
    def dead_letters(self) -> list[Message]:
        """Some of the messages that were given up; they stay, and stay visible."""
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._dead_url,
                MaxNumberOfMessages=QUEUE_BATCH,
                VisibilityTimeout=0,
                WaitTimeSeconds=0,
            )
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, "looking at the dead letters") from error
        return [_message(message) for message in answer.get("Messages", [])]

    def clear(self, letters: Sequence[Message]) -> None:
        """Delete dead letters.

        Raises:
            StoreUnavailableError: SQS still fails with some of them.
        """
        for part in _tens(letters):
            entries = {str(at): {"ReceiptHandle": item.handle} for at, item in enumerate(part)}
            self._send(
                self._sqs.delete_message_batch, entries, "clearing dead letters", self._dead_url
            )

    @retried
    def announce(self, announced: Sequence[Announcement]) -> None:
        """Announce file versions anew, a message each, as the bucket announces them."""
        for item in announced:
            try:
                self._sqs.send_message(QueueUrl=self._url, MessageBody=_body(item))
            except (ClientError, BotoCoreError) as error:
                raise as_store_error(error, f"announcing {item.key}") from error

    @retried
    def depth(self) -> QueueDepth:
        """How much waits here and in the dead-letter queue."""
        waiting, in_flight = self._counts(self._url)
        dead, _ = self._counts(self._dead_url)
        return QueueDepth(waiting, in_flight, dead)

    def close(self) -> None:
        """Give the connections back."""
        self._sqs.close()

    def _counts(self, url: str) -> tuple[int, int]:
        try:
            attributes = self._sqs.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, "looking at the queue") from error
        return (
            int(attributes["ApproximateNumberOfMessages"]),
            int(attributes["ApproximateNumberOfMessagesNotVisible"]),
        )

    def _url_of(self, name: str) -> str:
        try:
            return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the queue {name}") from error


def _message(raw: "MessageTypeDef") -> Message:
    body = raw.get("Body", "")
    return Message(
        message_id=raw.get("MessageId", ""),
        handle=raw.get("ReceiptHandle", ""),
        receives=int(raw.get("Attributes", {}).get("ApproximateReceiveCount", "1")),
        announced=announcements(body),
        body=body,
    )


def announcements(body: str) -> tuple[Announcement, ...] | None:
    """What an S3 notification announces; empty for S3's test event, None if it is something else.

    Format: AWS, "Event message structure" of S3 event notifications, version 2.x. Keys are URL
    encoded in it, with `+` for a blank.
    """
    try:
        parsed = orjson.loads(body)
        if parsed.get("Event") == "s3:TestEvent":
            return ()
        return tuple(
            Announcement(
                key=unquote_plus(record["s3"]["object"]["key"]),
                etag=str(record["s3"]["object"].get("eTag", "")).strip('"'),
                landed_at=datetime.fromisoformat(record["eventTime"]).astimezone(UTC),
                version_id=str(record["s3"]["object"].get("versionId", "")),
            )
            for record in parsed["Records"]
            if str(record["eventName"]).startswith("ObjectCreated:")
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return None


def _body(announced: Announcement) -> str:
    """A notification as `announcements` reads it."""
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": announced.landed_at.isoformat(),
        "s3": {"object": {"key": quote_plus(announced.key), "eTag": announced.etag}},
    }
    return orjson.dumps({"Records": [record]}).decode()


def _reason(failed: Mapping[str, Any]) -> str:
    return f"{failed.get('Code', '')}: {failed.get('Message', '')}"


def _tens(messages: Sequence[Message]) -> Iterable[Sequence[Message]]:
    return (messages[at : at + QUEUE_BATCH] for at in range(0, len(messages), QUEUE_BATCH))
