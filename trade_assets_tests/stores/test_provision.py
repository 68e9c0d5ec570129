"""Provisioning against the real stand-in."""

import json
from urllib.parse import unquote_plus

import pytest
import redis

from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client, s3_client, sqs_client
from trade_assets.stores.ledger import GENERATION_KEY
from trade_assets.stores.provision import provision


def _names(settings: Settings) -> set[str]:
    return {
        settings.bucket,
        settings.queue_name,
        settings.dead_letter_queue_name,
        settings.history_table,
        settings.ledger_table,
    }


def _feed_events(settings: Settings) -> list[str]:
    sqs = sqs_client(settings)
    url = sqs.get_queue_url(QueueName=settings.queue_name)["QueueUrl"]
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [
        unquote_plus(record["s3"]["object"]["key"])
        for body in bodies
        for record in body.get("Records", [])
    ]


def test_first_run_makes_everything_and_the_second_finds_it(settings: Settings) -> None:
    first = provision(settings)
    again = provision(settings)
    assert set(first.created) == _names(settings)
    assert first.found == ()
    assert set(again.found) == _names(settings)
    assert again.created == ()
    assert again.generation == first.generation


def test_a_new_generation_replaces_the_stored_one(provisioned: Settings) -> None:
    before = provision(provisioned).generation
    replaced = provision(provisioned, new_generation=True).generation
    key = {"pk": {"S": GENERATION_KEY}, "sk": {"S": GENERATION_KEY}}
    stored = dynamodb_client(provisioned).get_item(TableName=provisioned.ledger_table, Key=key)
    assert replaced != before
    assert stored["Item"]["generation"]["S"] == replaced


def test_feed_files_are_announced_and_other_keys_are_not(provisioned: Settings) -> None:
    s3 = s3_client(provisioned)
    for key in ("quarantine/feeds/a", "feeds/actant/spot_risk/dt=2025-07-17/hh=19/a.csv"):
        s3.put_object(Bucket=provisioned.bucket, Key=key, Body=b"x")
    assert _feed_events(provisioned) == ["feeds/actant/spot_risk/dt=2025-07-17/hh=19/a.csv"]


def test_queue_sends_what_keeps_failing_to_the_dead_letter_queue(provisioned: Settings) -> None:
    sqs = sqs_client(provisioned)
    url = sqs.get_queue_url(QueueName=provisioned.queue_name)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(f":{provisioned.dead_letter_queue_name}")
    assert int(redrive["maxReceiveCount"]) == provisioned.queue_max_receives
    assert int(attributes["VisibilityTimeout"]) == provisioned.queue_visibility_seconds


def test_tables_are_on_demand_recoverable_and_history_expires(provisioned: Settings) -> None:
    dynamodb = dynamodb_client(provisioned)
    for name in (provisioned.history_table, provisioned.ledger_table):
        table = dynamodb.describe_table(TableName=name)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=name)
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
        assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    expiry = dynamodb.describe_time_to_live(TableName=provisioned.history_table)
    assert expiry["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_cluster_refuses_commands_over_two_slots(redis_cluster_settings: Settings) -> None:
    url = redis_cluster_settings.redis_url.get_secret_value()
    with (
        redis.Redis.from_url(url) as client,
        pytest.raises(redis.ResponseError, match="same slot"),
    ):
        client.mget("a", "b")
