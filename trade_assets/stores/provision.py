"""Makes the AWS resources that the platform needs: bucket, queues, notification, tables, topic.

In profile `local` it also makes the secret that a person makes on AWS.

Idempotent, and the same against the stand-in and AWS. Names come from `Settings` alone. Nothing
is ever deleted here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.datasets.keys import FEEDS_PREFIX
from trade_assets.errors import StoreUnavailableError
from trade_assets.monitor.alarms.topic import ensure_topic
from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import as_store_error, dynamodb_client, s3_client, sqs_client
from trade_assets.stores.dynamodb.ledger import GENERATION_KEY
from trade_assets.tt.client.local_secret import ensure_local_secret

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import QueueConfigurationTypeDef
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

TTL_ATTRIBUTE: Final = "expires_at"
NOTIFICATION_ID: Final = "feed-events"
_DAY_SECONDS: Final = 24 * 3600
QUEUE_RETENTION_SECONDS: Final = 4 * _DAY_SECONDS
DEAD_LETTER_RETENTION_SECONDS: Final = 14 * _DAY_SECONDS
_TABLE_WAIT = {"Delay": 1, "MaxAttempts": 60}


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What `provision` did: names of what it made, of what was there, and the generation."""

    generation: str
    created: tuple[str, ...]
    found: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    created: list[str] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    def add(self, name: str, *, new: bool) -> None:
        (self.created if new else self.found).append(name)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def provision(settings: Settings, *, new_generation: bool = False) -> Provisioned:
    """Make what is missing; bring the attributes of what is there to what they should be.

    With `new_generation` the generation is replaced, which tells the bucket sensor that the stores
    lost what they had and are to be rebuilt from S3.

    Raises:
        StoreUnavailableError: AWS or its stand-in cannot be reached or throttles.
        StoreRejectedError: a request is refused, for example for lack of rights.
    """
    tally = _Tally()
    try:
        queue_arn = _queues(sqs_client(settings), settings, tally)
        s3 = s3_client(settings)
        _bucket(s3, settings, tally)
        _notification(s3, settings, queue_arn)
        generation = _tables(dynamodb_client(settings), settings, tally, new=new_generation)
        tally.add(settings.alarms_topic, new=ensure_topic(settings))
        if settings.profile is Profile.LOCAL:
            tally.add(settings.tt_secret_name, new=ensure_local_secret(settings))
    except (BotoCoreError, ClientError) as error:
        raise as_store_error(error, f"provisioning {settings.namespace}") from error
    return Provisioned(generation, tuple(tally.created), tuple(tally.found))


def _bucket(s3: "S3Client", settings: Settings, tally: _Tally) -> None:
    try:
        s3.head_bucket(Bucket=settings.bucket)
    except ClientError as error:
        if _code(error) not in {"404", "NoSuchBucket", "NotFound"}:
            raise
        # us-east-1 is the one region that must not be named.
        elsewhere: dict[str, Any] = (
            {}
            if settings.stores.aws_region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": settings.stores.aws_region}}
        )
        s3.create_bucket(Bucket=settings.bucket, **elsewhere)
        tally.add(settings.bucket, new=True)
    else:
        tally.add(settings.bucket, new=False)
    if settings.profile is Profile.AWS:
        everything = dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"),
            True,
        )
        s3.put_public_access_block(
            Bucket=settings.bucket,
            PublicAccessBlockConfiguration=everything,  # type: ignore[arg-type]
        )


def _queue(
    sqs: "SQSClient",
    name: str,
    attributes: "dict[QueueAttributeNameType, str]",
    tally: _Tally,
) -> tuple[str, str]:
    """URL and ARN of a queue that has at least `attributes`."""
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except ClientError as error:
        if not _code(error).endswith(("NonExistentQueue", "QueueDoesNotExist")):
            raise
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        tally.add(name, new=True)
    else:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
        tally.add(name, new=False)
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


def _queues(sqs: "SQSClient", settings: Settings, tally: _Tally) -> str:
    """Both queues; the ARN of the one that the bucket notifies."""
    _, dead_arn = _queue(
        sqs,
        settings.dead_letter_queue_name,
        {"MessageRetentionPeriod": str(DEAD_LETTER_RETENTION_SECONDS)},
        tally,
    )
    redrive = {
        "deadLetterTargetArn": dead_arn,
        "maxReceiveCount": settings.stream.queue_max_receives,
    }
    url, arn = _queue(
        sqs,
        settings.queue_name,
        {
            "VisibilityTimeout": str(settings.stream.queue_visibility_seconds),
            "MessageRetentionPeriod": str(QUEUE_RETENTION_SECONDS),
            "RedrivePolicy": json.dumps(redrive),
        },
        tally,
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "BucketNotifies",
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{settings.bucket}"}},
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return arn


def _notification(s3: "S3Client", settings: Settings, queue_arn: str) -> None:
    """Have the bucket announce new feed files; S3 answers with a test event to the queue.

    Only put when it is not there yet: every put sends a test event, and on AWS takes a minute.
    """
    wanted: QueueConfigurationTypeDef = {
        "Id": NOTIFICATION_ID,
        "QueueArn": queue_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": FEEDS_PREFIX}]}},
    }
    there = s3.get_bucket_notification_configuration(Bucket=settings.bucket)
    queues = there.get("QueueConfigurations", [])
    if any(item.get("Id") == NOTIFICATION_ID and item["QueueArn"] == queue_arn for item in queues):
        return
    others = [item for item in queues if item.get("Id") != NOTIFICATION_ID]
    kept: dict[str, Any] = {
        name: value
        for name, value in there.items()
        if name not in {"QueueConfigurations", "ResponseMetadata"}
    }
    s3.put_bucket_notification_configuration(
        Bucket=settings.bucket,
        NotificationConfiguration={**kept, "QueueConfigurations": [*others, wanted]},  # type: ignore[typeddict-item]
    )


def _tables(dynamodb: "DynamoDBClient", settings: Settings, tally: _Tally, *, new: bool) -> str:
    """Both tables, and the generation."""
    names = (settings.history_table, settings.ledger_table)
    for name in names:
        tally.add(name, new=_create_table(dynamodb, name))
    for name in names:
        dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_TABLE_WAIT)  # type: ignore[arg-type]
        _point_in_time_recovery(dynamodb, name)
    _time_to_live(dynamodb, settings.history_table)
    return _generation(dynamodb, settings.ledger_table, new=new)


TABLE_SHAPE: Final[Any] = {
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
"""What every table of the platform looks like: keys pk and sk, on demand."""


def _create_table(dynamodb: "DynamoDBClient", name: str) -> bool:
    """Create an on-demand, encrypted table with keys pk and sk; False if it is there."""
    try:
        dynamodb.create_table(
            TableName=name,
            **TABLE_SHAPE,
            SSESpecification={"Enabled": True, "SSEType": "KMS"},
        )
    except ClientError as error:
        if _code(error) == "ResourceInUseException":
            return False
        raise
    return True


def _point_in_time_recovery(dynamodb: "DynamoDBClient", name: str) -> None:
    there = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    status = there.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if status == "ENABLED":
        return
    _once_table_settles(
        lambda: dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    )


def _time_to_live(dynamodb: "DynamoDBClient", name: str) -> None:
    there = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if there.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}:
        return
    _once_table_settles(
        lambda: dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": TTL_ATTRIBUTE},
        )
    )


def _once_table_settles(update: Callable[[], object]) -> None:
    """Run an update of a table that AWS may still be setting up: transient, so say so."""
    try:
        update()
    except ClientError as error:
        if _code(error) in {"ContinuousBackupsUnavailableException", "ResourceInUseException"}:
            raise StoreUnavailableError(
                "a new table is still being set up; provision again in a minute"
            ) from error
        raise


def _generation(dynamodb: "DynamoDBClient", table: str, *, new: bool) -> str:
    """The stored generation, made if absent, replaced if `new`."""
    key = {"pk": {"S": GENERATION_KEY}, "sk": {"S": GENERATION_KEY}}
    made = uuid4().hex
    item = {**key, "generation": {"S": made}}
    if new:
        dynamodb.put_item(TableName=table, Item=item)
        return made
    try:
        dynamodb.put_item(
            TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)"
        )
    except ClientError as error:
        if _code(error) != "ConditionalCheckFailedException":
            raise
        there = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
        return there["Item"]["generation"]["S"]
    return made
