"""Where AWS's services are: by botocore's rules, also for what does not go through its clients."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

from trade_assets.errors import SettingsError
from trade_assets.settings import AwsService, load_settings
from trade_assets.stores.aws import aws_address, aws_session, dynamodb_client, s3_client
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.s3.objects import ObjectStore

OWN, ALL = "http://127.0.0.1:7001", "http://127.0.0.1:7002"
IGNORE = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"
ASKED: Mapping[AwsService, tuple[str, dict[str, str]]] = {
    AwsService.S3: ("head_bucket", {"Bucket": "a.b"}),
    AwsService.SQS: ("list_queues", {}),
    AwsService.DYNAMODB: ("list_tables", {}),
    AwsService.SNS: ("list_topics", {}),
    AwsService.SECRETS_MANAGER: ("list_secrets", {}),
    AwsService.STS: ("get_caller_identity", {}),
    AwsService.SSM: ("describe_parameters", {}),
}


def _forget_addresses() -> None:
    """A process has one environment, and keeps what it says; these tests have many."""
    aws_address.cache_clear()
    aws_session.cache_clear()


@pytest.fixture(autouse=True)
def _an_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRADE_ASSETS_PROFILE", "aws")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    _forget_addresses()
    yield
    _forget_addresses()


class SeenError(Exception):
    """Carries the address of a request instead of sending it."""


def address_of_boto3(service: AwsService, region: str) -> str:
    """Where a plain client of boto3, made of the same environment, sends a request."""
    client = boto3.Session(region_name=region).client(service.client_name)  # type: ignore[call-overload]

    def look(request: AWSRequest, **_: Any) -> AWSResponse:
        raise SeenError(request.url)

    client.meta.events.register("before-send.*.*", look)
    operation, parameters = ASKED[service]
    with pytest.raises(SeenError) as seen:
        getattr(client, operation)(**parameters)
    scheme, _, rest = str(seen.value).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


@pytest.mark.parametrize("service", AwsService)
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_addresses_are_those_of_boto3(
    service: AwsService, region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fips, dual in product(("false", "true"), repeat=2):
        if region == "cn-north-1" and fips == "true":
            continue  # there is no FIPS in China
        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", fips)
        monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", dual)
        _forget_addresses()
        settings = load_settings(aws_region=region)
        assert aws_address(settings, service) == address_of_boto3(service, region)


@pytest.mark.parametrize("service", AwsService)
@pytest.mark.parametrize(
    "variables", [(), ("own",), ("all",), ("own", "all"), ("own", "ignore"), ("all", "ignore")]
)
def test_configured_endpoints_go_before_as_in_boto3(
    service: AwsService, variables: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "own": (f"AWS_ENDPOINT_URL_{service.value.upper()}", OWN),
        "all": ("AWS_ENDPOINT_URL", ALL),
        "ignore": (IGNORE, "true"),
    }
    for name in variables:
        monkeypatch.setenv(*values[name])
    assert aws_address(load_settings(), service) == address_of_boto3(service, "us-east-1")


def test_the_configuration_file_counts_where_the_environment_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        f"[default]\nservices = own\n[services own]\ndynamodb =\n  endpoint_url = {OWN}\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    settings = load_settings()
    assert aws_address(settings, AwsService.DYNAMODB) == OWN
    assert dynamodb_client(settings).meta.endpoint_url == OWN


def test_everything_that_speaks_to_a_service_speaks_to_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRADE_ASSETS_PROFILE", "local")
    monkeypatch.setenv("AWS_ENDPOINT_URL", ALL)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", OWN)
    settings = load_settings()
    calls, objects = DynamoCalls(settings), ObjectStore(settings)
    try:
        assert calls.url == f"{OWN}/"
        assert objects.address == ALL
        assert dynamodb_client(settings).meta.endpoint_url == OWN
        assert s3_client(settings).meta.endpoint_url == ALL
    finally:
        calls.close()
        objects.close()


def test_no_service_of_the_local_profile_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_PROFILE", "local")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "https://sqs.us-east-1.amazonaws.com")
    with pytest.raises(SettingsError, match=r"sqs endpoint .* reaches only this machine"):
        load_settings()
