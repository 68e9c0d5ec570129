"""The ARN of a topic, which is built and not asked for."""

from pathlib import Path

import pytest

from trade_assets.errors import StoreUnavailableError
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets.stores.aws import sns_client
from trade_assets.stores.sns.topics import topic_arn
from trade_assets_tests.support.parts import LocalParts

pytestmark = pytest.mark.integration


def test_the_topics_arn_is_the_one_that_sns_gives(settings: Settings) -> None:
    made = sns_client(settings).create_topic(Name=settings.alarms_topic)["TopicArn"]
    assert topic_arn(settings, settings.alarms_topic) == made


def test_the_topics_arn_takes_an_answering_aws(local_parts: LocalParts, tmp_path: Path) -> None:
    nowhere = local_parts.settings(tmp_path, aws_endpoint_url=f"http://{LOOPBACK}:{free_port()}")
    with pytest.raises(StoreUnavailableError, match="asking for the AWS account"):
        topic_arn(nowhere, nowhere.alarms_topic)
