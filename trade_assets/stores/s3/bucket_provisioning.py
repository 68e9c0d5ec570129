"""Makes buckets, and has them announce their objects. What is there already is left alone."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from trade_assets.settings import Profile, Settings
from trade_assets.stores.resource_kinds import Bucket, BucketNotification

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import QueueConfigurationTypeDef


def ensure_bucket(s3: "S3Client", bucket: Bucket, settings: Settings) -> bool:
    """Make a bucket if it is missing, and close it to the public on AWS; whether it was made."""
    made = not _is_there(s3, bucket.name)
    if made:
        # us-east-1 is the one region that must not be named.
        region = settings.stores.aws_region
        elsewhere: dict[str, Any] = (
            {}
            if region == "us-east-1"
            else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        )
        s3.create_bucket(Bucket=bucket.name, **elsewhere)
    if settings.profile is Profile.AWS and bucket.block_public_access:
        everything = dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"),
            True,
        )
        s3.put_public_access_block(
            Bucket=bucket.name,
            PublicAccessBlockConfiguration=everything,  # type: ignore[arg-type]
        )
    if settings.profile is Profile.AWS and bucket.versioned:
        s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    return made


def ensure_notification(s3: "S3Client", wanted: BucketNotification, queue_arn: str) -> None:
    """Have a bucket announce new objects; S3 answers with a test event to the queue.

    Only put when it is not there yet: every put sends a test event, and on AWS takes a minute.
    """
    there = s3.get_bucket_notification_configuration(Bucket=wanted.bucket)
    queues = there.get("QueueConfigurations", [])
    if any(item.get("Id") == wanted.identity and item["QueueArn"] == queue_arn for item in queues):
        return
    others = [item for item in queues if item.get("Id") != wanted.identity]
    kept: dict[str, Any] = {
        name: value
        for name, value in there.items()
        if name not in {"QueueConfigurations", "ResponseMetadata"}
    }
    announced: list[Any] = [*others, _configuration(wanted, queue_arn)]
    s3.put_bucket_notification_configuration(
        Bucket=wanted.bucket,
        NotificationConfiguration={**kept, "QueueConfigurations": announced},  # type: ignore[typeddict-item]
    )


def _is_there(s3: "S3Client", name: str) -> bool:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in {"404", "NoSuchBucket", "NotFound"}:
            raise
        return False
    return True


def _configuration(wanted: BucketNotification, queue_arn: str) -> "QueueConfigurationTypeDef":
    return {
        "Id": wanted.identity,
        "QueueArn": queue_arn,
        "Events": list(wanted.events),  # type: ignore[arg-type]
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": wanted.prefix}]}},
    }
