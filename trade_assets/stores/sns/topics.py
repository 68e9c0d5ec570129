"""Topics of SNS: the ARN of one, and making it. What is published there is its owner's matter."""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import as_store_error, sns_client, sts_client
from trade_assets.stores.resource_kinds import Topic

_KEY_ATTRIBUTE: Final = "KmsMasterKeyId"


def topic_arn(settings: Settings, name: str, **config: Any) -> str:
    """ARN of a topic in the account of today's credential; it need not exist.

    Built, not asked for: asking SNS by name takes the right to create topics, or to list them all.
    `config` is the client's, such as timeouts.

    Raises:
        StoreUnavailableError, StoreRejectedError: AWS does not say which account this is.
    """
    try:
        caller = sts_client(settings, **config).get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise as_store_error(error, "asking for the AWS account") from error
    partition = caller["Arn"].split(":")[1]  # "aws", or that of a separate cloud such as "aws-cn"
    region = settings.stores.aws_region
    return f"arn:{partition}:sns:{region}:{caller['Account']}:{name}"


def ensure_topic(settings: Settings, topic: Topic) -> bool:
    """Make a topic if it is missing, encrypted on AWS; whether it was made.

    A key that somebody chose for a topic that is there is left alone.

    Raises:
        BotoCoreError, ClientError: as boto3 raises them, for the caller to translate.
        StoreUnavailableError, StoreRejectedError: AWS does not say which account this is.
    """
    sns, arn = sns_client(settings), topic_arn(settings, topic.name)
    wanted: dict[str, Any] = {}
    if settings.profile is Profile.AWS:
        wanted = {_KEY_ATTRIBUTE: topic.kms_key}
    try:
        there = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in {"NotFound", "NotFoundException"}:
            raise
        sns.create_topic(Name=topic.name, Attributes=wanted)
        return True
    for name, value in wanted.items():
        if not there.get(name):
            sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
    return False
