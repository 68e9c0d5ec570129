"""Dead letters: notifications that the queue gave up. Looked at, and left where they are.

Bounded reading only. Why a file could not be ingested is in the ledger; files that were refused
are in `quarantine`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.stores.aws import as_store_error
from trade_assets.stores.sqs.notifications import QUEUE_BATCH, announcements

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

PEEKS: Final = 3
"""Requests for dead letters: a short poll of SQS asks only some of its servers."""
BODY_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A notification that was given up. `sent_at` is S3's; `body` is set only where no file key
    could be read from it, and is cut short."""

    message_id: str
    sent_at: datetime
    keys: tuple[str, ...]
    body: str | None


def peek_dead_letters(sqs: "SQSClient", queue_name: str, limit: int = 10) -> list[DeadLetter]:
    """Up to `limit` dead letters, oldest first. They stay, and stay visible to everybody else.

    Raises:
        StoreUnavailableError, StoreRejectedError: the queue cannot be looked at.
    """
    seen: dict[str, DeadLetter] = {}
    try:
        url = sqs.get_queue_url(QueueName=queue_name)["QueueUrl"]
        for _ in range(PEEKS):
            answer = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=QUEUE_BATCH,
                VisibilityTimeout=0,
                WaitTimeSeconds=0,
                AttributeNames=["SentTimestamp"],
            )
            for message in answer.get("Messages", []):
                letter = _dead_letter(message)
                seen[letter.message_id] = letter
            if len(seen) >= limit:
                break
    except (ClientError, BotoCoreError) as error:
        raise as_store_error(error, "looking at the dead letters") from error
    return sorted(seen.values(), key=lambda letter: letter.sent_at)[:limit]


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
