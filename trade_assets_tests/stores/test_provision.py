"""Provisioning against the real stand-in."""

import json
from pathlib import Path
from urllib.parse import unquote_plus

import pytest
import redis

from trade_assets.settings import Settings
from trade_assets.stores.aws import (
    dynamodb_client,
    s3_client,
    secretsmanager_client,
    sns_client,
    sqs_client,
)
from trade_assets.stores.dynamodb.ledger import GENERATION_KEY
from trade_assets.stores.provision import provision
from trade_assets.stores.sns.topics import topic_arn
from trade_assets_tests.support.parts import LocalParts


def _names(settings: Settings) -> set[str]:
    return {
        settings.bucket,
        settings.queue_name,
        settings.dead_letter_queue_name,
        settings.history_table,
        settings.ledger_table,
        settings.alarms_topic,
        settings.tt_secret_name,
    }


def _secret(settings: Settings) -> dict[str, str]:
    client = secretsmanager_client(settings)
    text = client.get_secret_value(SecretId=settings.tt_secret_name)["SecretString"]
    found: dict[str, str] = json.loads(text)
    return found


@pytest.fixture
def aws_settings(
    settings: Settings, local_parts: LocalParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Profile `aws`, with the ordinary credential chain, towards the stand-in."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return local_parts.settings(tmp_path / "home", profile="aws")


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


def test_a_bucket_on_aws_keeps_what_is_overwritten(aws_settings: Settings) -> None:
    provision(aws_settings)
    answer = s3_client(aws_settings).get_bucket_versioning(Bucket=aws_settings.bucket)
    assert answer.get("Status") == "Enabled"


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
    assert int(redrive["maxReceiveCount"]) == provisioned.stream.queue_max_receives
    assert int(attributes["VisibilityTimeout"]) == provisioned.stream.queue_visibility_seconds


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
    url = redis_cluster_settings.stores.redis_url.get_secret_value()
    with (
        redis.Redis.from_url(url) as client,
        pytest.raises(redis.ResponseError, match="same slot"),
    ):
        client.mget("a", "b")


def test_the_local_secret_is_random_and_never_overwritten(
    settings: Settings, local_parts: LocalParts, tmp_path: Path
) -> None:
    provision(settings)
    made = _secret(settings)
    provision(settings)
    other = local_parts.settings(tmp_path / "other")
    provision(other)
    assert set(made) == {"key", "secret"}
    assert _secret(settings) == made
    assert not set(made.values()) & set(_secret(other).values())


def test_a_rotated_secret_stays_and_a_lost_one_is_made_anew(provisioned: Settings) -> None:
    client = secretsmanager_client(provisioned)
    before = _secret(provisioned)
    rotated = {"key": "rotated", "secret": "by hand"}
    client.put_secret_value(SecretId=provisioned.tt_secret_name, SecretString=json.dumps(rotated))
    provision(provisioned)
    assert _secret(provisioned) == rotated
    client.delete_secret(SecretId=provisioned.tt_secret_name, ForceDeleteWithoutRecovery=True)
    assert provisioned.tt_secret_name in provision(provisioned).created
    assert not set(_secret(provisioned).values()) & {*rotated.values(), *before.values()}


def test_on_aws_no_secret_is_made_and_the_topic_is_encrypted(aws_settings: Settings) -> None:
    made = provision(aws_settings)
    again = provision(aws_settings)
    sns = sns_client(aws_settings)
    attributes = sns.get_topic_attributes(
        TopicArn=topic_arn(aws_settings, aws_settings.alarms_topic)
    )["Attributes"]
    assert attributes["KmsMasterKeyId"] == "alias/aws/sns"
    assert aws_settings.alarms_topic in made.created
    assert aws_settings.alarms_topic in again.found
    assert aws_settings.tt_secret_name not in {*made.created, *again.found}
    client = secretsmanager_client(aws_settings)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        _secret(aws_settings)


def test_a_key_that_somebody_chose_for_the_topic_stays(aws_settings: Settings) -> None:
    sns = sns_client(aws_settings)
    arn = sns.create_topic(Name=aws_settings.alarms_topic)["TopicArn"]

    def key_after(chosen: str) -> str:
        sns.set_topic_attributes(
            TopicArn=arn, AttributeName="KmsMasterKeyId", AttributeValue=chosen
        )
        provision(aws_settings)
        return sns.get_topic_attributes(TopicArn=arn)["Attributes"]["KmsMasterKeyId"]

    assert arn == topic_arn(aws_settings, aws_settings.alarms_topic)
    assert key_after("alias/the-desk") == "alias/the-desk"
    assert key_after("") == "alias/aws/sns"
