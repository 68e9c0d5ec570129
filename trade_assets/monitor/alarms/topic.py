"""The SNS topic of the notices: its ARN, and making it. What is published there is in `alarms`."""

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.settings import Profile, Settings
from trade_assets.stores.aws import as_store_error, sns_client, sts_client

_KEY_ATTRIBUTE: Final = "KmsMasterKeyId"
_SNS_KEY: Final = "alias/aws/sns"
"""The key that AWS keeps for SNS in every account; the stand-in has none."""


def topic_arn(settings: Settings, **config: Any) -> str:
    """ARN of `settings.alarms_topic` in the account of today's credential; it need not exist.

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
    return ":".join(
        (
            "arn",
            partition,
            "sns",
            settings.stores.aws_region,
            caller["Account"],
            settings.alarms_topic,
        )
    )


def ensure_topic(settings: Settings) -> bool:
    """Make the topic if it is missing, encrypted on AWS; whether it was made.

    A key that somebody chose for a topic that is there is left alone.

    Raises:
        BotoCoreError, ClientError: as boto3 raises them, for the caller to translate.
        StoreUnavailableError, StoreRejectedError: AWS does not say which account this is.
    """
    sns, arn = sns_client(settings), topic_arn(settings)
    wanted: dict[str, Any] = {}
    if settings.profile is Profile.AWS:
        wanted = {_KEY_ATTRIBUTE: _SNS_KEY}
    try:
        there = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in {"NotFound", "NotFoundException"}:
            raise
        sns.create_topic(Name=settings.alarms_topic, Attributes=wanted)
        return True
    for name, value in wanted.items():
        if not there.get(name):
            sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
    return False
