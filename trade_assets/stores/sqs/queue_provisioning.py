"""Makes queues; brings the attributes of those that are there to what they should be."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from trade_assets.stores.resource_kinds import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType


@dataclass(frozen=True, slots=True)
class ProvisionedQueue:
    """A queue that is there, and whether it was made just now."""

    url: str
    arn: str
    made: bool


def ensure_queue(
    sqs: "SQSClient", queue: Queue, others: Mapping[str, ProvisionedQueue]
) -> ProvisionedQueue:
    """Make a queue if it is missing; `others` are those declared before it, by name."""
    attributes = _attributes(queue, others)
    try:
        url = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if not code.endswith(("NonExistentQueue", "QueueDoesNotExist")):
            raise
        url = sqs.create_queue(QueueName=queue.name, Attributes=attributes)["QueueUrl"]
        made = True
    else:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        made = False
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return ProvisionedQueue(url, answer["Attributes"]["QueueArn"], made)


def allow_buckets(sqs: "SQSClient", queue: ProvisionedQueue, buckets: Iterable[str]) -> None:
    """Let the notifications of buckets, by name, into a queue."""
    statements = [
        {
            "Sid": f"BucketNotifies{number or ''}",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{name}"}},
        }
        for number, name in enumerate(buckets)
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps(policy)})


def _attributes(
    queue: Queue, others: Mapping[str, ProvisionedQueue]
) -> "dict[QueueAttributeNameType, str]":
    attributes: dict[QueueAttributeNameType, str] = {
        "MessageRetentionPeriod": str(queue.retention_seconds)
    }
    if queue.visibility_seconds is not None:
        attributes["VisibilityTimeout"] = str(queue.visibility_seconds)
    if queue.dead_letter_queue is not None:
        redrive = {
            "deadLetterTargetArn": others[queue.dead_letter_queue].arn,
            "maxReceiveCount": queue.max_receives,
        }
        attributes["RedrivePolicy"] = json.dumps(redrive)
    return attributes
