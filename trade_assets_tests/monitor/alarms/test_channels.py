"""The log, and SNS as a queue that subscribes to the topic hears it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.monitor.alarms.channels import LogChannel, SnsChannel
from trade_assets.monitor.alarms.notices import Notice
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets.stores.aws import sns_client, sqs_client
from trade_assets.stores.sns.topics import topic_arn
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.waiting import eventually

BEGAN = datetime(2025, 11, 21, 10, 0, tzinfo=UTC)
OPENING = Notice("tt:x:breaker", "Ausfälle\nbei TT", "It failed 5 times.", BEGAN)
CLOSING = Notice(
    "tt:x:breaker", "Ausfälle bei TT", "It answers.", BEGAN, BEGAN + timedelta(seconds=90)
)


class Subscriber:
    """A queue that is subscribed to the topic."""

    def __init__(self, settings: Settings) -> None:
        self._sqs = sqs_client(settings)
        self._url = self._sqs.create_queue(QueueName=f"{settings.namespace}-heard")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=self._url, AttributeNames=["QueueArn"]
        )["Attributes"]
        sns_client(settings).subscribe(
            TopicArn=topic_arn(settings, settings.alarms_topic),
            Protocol="sqs",
            Endpoint=attributes["QueueArn"],
        )
        self._heard: list[dict[str, Any]] = []

    def hears(self, count: int) -> list[dict[str, Any]]:
        """The first messages, as soon as there are so many."""
        eventually(lambda: self._receive() >= count, what=f"{count} messages")
        return self._heard

    def _receive(self) -> int:
        answer = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1
        )
        for message in answer.get("Messages", []):
            self._heard.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return len(self._heard)


@pytest.fixture
def sns(provisioned: Settings) -> Iterator[SnsChannel]:
    channel = SnsChannel(provisioned)
    yield channel
    channel.close()


def test_a_subscribed_queue_hears_the_beginning_and_the_end(
    provisioned: Settings, sns: SnsChannel
) -> None:
    subscriber = Subscriber(provisioned)
    sns.tell(OPENING)
    sns.tell(CLOSING)
    heard = sorted(subscriber.hears(2), key=lambda item: str(item["Subject"]))
    assert [item["Subject"] for item in heard] == ["Ausf?lle bei TT", "Over: Ausf?lle bei TT"]
    assert [json.loads(item["Message"]) for item in heard] == [
        OPENING.as_json(),
        CLOSING.as_json(),
    ]
    assert heard[1]["MessageAttributes"]["alarm"]["Value"] == "tt:x:breaker"
    assert heard[1]["MessageAttributes"]["state"]["Value"] == "ended"


def test_a_topic_that_is_not_there_is_refused(settings: Settings) -> None:
    channel = SnsChannel(settings)
    with pytest.raises(StoreRejectedError, match=f"publishing to {settings.alarms_topic}"):
        channel.tell(OPENING)


def test_sns_away_is_transient(local_parts: LocalParts, settings: Settings) -> None:
    nowhere = local_parts.settings(
        settings.platform.home, aws_endpoint_url=f"http://{LOOPBACK}:{free_port()}"
    )
    with pytest.raises(StoreUnavailableError):
        SnsChannel(nowhere).tell(OPENING)


def test_the_log_warns_at_the_beginning_and_informs_at_the_end() -> None:
    channel = LogChannel()
    with capture_logs() as logged:
        channel.tell(OPENING)
        channel.tell(CLOSING)
    assert [line["log_level"] for line in logged] == ["warning", "info"]
    assert [line["event"] for line in logged] == [OPENING.headline, CLOSING.headline]
    assert {**CLOSING.as_json(), **logged[1]} == logged[1]
