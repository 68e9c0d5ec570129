"""Sessions and clients of AWS, for both profiles. The one place that decides about credentials.

Hot paths do not go through boto3's clients (`s3.objects`, `dynamodb.calls`), but share its session.
"""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from trade_assets.errors import StoreRejectedError, StoreUnavailableError, TradeAssetsError
from trade_assets.settings import AwsService, Profile, Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

LOCAL_CREDENTIAL: Final = "local"
"""Key and secret towards the stand-in, which checks no signature. Never an account's."""

TRANSIENT_CODES: Final = frozenset(
    {
        "InternalError", "InternalFailure", "InternalServerError", "LimitExceededException",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestTimeout",
        "RequestTimeTooSkewed", "ServiceUnavailable", "SlowDown", "Throttling",
        "ThrottlingException", "TooManyRequestsException", "TransactionInProgressException",
        "ExpiredToken", "ExpiredTokenException", "503", "500", "502", "504",
    }
)  # fmt: skip
"""Error codes of AWS after which the same call may succeed."""


@lru_cache(maxsize=8)
def aws_session(settings: Settings) -> boto3.Session:
    """The session of a profile: the stand-in's fixed credential, or the ordinary chain."""
    if settings.profile is Profile.LOCAL:
        # Nothing of the user's own AWS set-up: a stale AWS_PROFILE must not break the stand-in.
        nothing = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
        core = botocore.session.Session({"profile": (None, None, None, None), **nothing})
        return boto3.Session(
            botocore_session=core,
            aws_access_key_id=LOCAL_CREDENTIAL,
            aws_secret_access_key=LOCAL_CREDENTIAL,
            region_name=settings.stores.aws_region,
        )
    return boto3.Session(region_name=settings.stores.aws_region)


@lru_cache(maxsize=64)
def aws_address(settings: Settings, service: AwsService) -> str:
    """Where a service is, without a slash at the end, for whoever has an HTTP client of his own.

    Where no endpoint is configured botocore is asked: partition, FIPS, dual stack, the user's
    configuration file. S3's is that of path-style requests.
    """
    configured = settings.aws_endpoint_of(service)
    if configured is not None:
        return configured.rstrip("/")
    client = _client(settings, service, signature_version=UNSIGNED)
    # The client's `meta.endpoint_url` is made by older rules than the addresses of its requests.
    operation, parameters = _ANY_REQUEST[service]
    url = urlsplit(client.generate_presigned_url(operation, Params=parameters))
    client.close()
    return f"{url.scheme}://{url.netloc}"


_ANY_REQUEST: Final[dict[AwsService, tuple[str, dict[str, str]]]] = {
    AwsService.S3: ("head_bucket", {"Bucket": "any.bucket"}),  # a dot: its address is a path's
    AwsService.DYNAMODB: ("list_tables", {}),
    AwsService.SQS: ("list_queues", {}),
    AwsService.SNS: ("list_topics", {}),
    AwsService.SECRETS_MANAGER: ("list_secrets", {}),
    AwsService.STS: ("get_caller_identity", {}),
    AwsService.SSM: ("describe_parameters", {}),
}
"""A request of each service, which is never sent: it shows where requests go."""


def _client(settings: Settings, service: AwsService, **config: Any) -> Any:
    options = {
        "connect_timeout": 3,
        "read_timeout": 30,
        "retries": {"mode": "standard", "total_max_attempts": 3},
        **config,
    }
    if settings.profile is Profile.LOCAL:
        options["proxies"] = {}  # A proxy of the environment does not know this machine's parts.
    return aws_session(settings).client(  # type: ignore[call-overload]
        service.client_name,
        endpoint_url=settings.aws_endpoint_of(service),
        config=Config(**options),
    )


def s3_client(settings: Settings, **config: Any) -> "S3Client":
    """S3; path-style addresses, which the stand-in needs and AWS still honours."""
    client: S3Client = _client(settings, AwsService.S3, s3={"addressing_style": "path"}, **config)
    return client


def sqs_client(settings: Settings, **config: Any) -> "SQSClient":
    """SQS."""
    client: SQSClient = _client(settings, AwsService.SQS, **config)
    return client


def dynamodb_client(settings: Settings, **config: Any) -> "DynamoDBClient":
    """DynamoDB, for everything but the bulk writes (`dynamodb.calls`)."""
    client: DynamoDBClient = _client(settings, AwsService.DYNAMODB, **config)
    return client


def sns_client(settings: Settings, **config: Any) -> "SNSClient":
    """SNS."""
    client: SNSClient = _client(settings, AwsService.SNS, **config)
    return client


def secretsmanager_client(settings: Settings, **config: Any) -> "SecretsManagerClient":
    """Secrets Manager. No error of it holds a secret's value; its answers do."""
    client: SecretsManagerClient = _client(settings, AwsService.SECRETS_MANAGER, **config)
    return client


def sts_client(settings: Settings, **config: Any) -> Any:
    """STS, which says whose account this is; every credential may ask it."""
    return _client(settings, AwsService.STS, **config)


def ssm_client(settings: Settings, **config: Any) -> Any:
    """SSM, for its parameters. No error of it holds a parameter's value; its answers do."""
    return _client(settings, AwsService.SSM, **config)


def as_store_error(error: Exception, what: str) -> TradeAssetsError:
    """Translate an error of boto3 into ours: transient where another try may help.

    `what` says what was tried and on what, for the message.
    """
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        message = f"{what}: {code}: {error.response.get('Error', {}).get('Message', '')}"
        if code in TRANSIENT_CODES or status >= 500:
            return StoreUnavailableError(message)
        return StoreRejectedError(message)
    if isinstance(error, BotoConnectionError | HTTPClientError):
        return StoreUnavailableError(f"{what}: {error}")
    if isinstance(error, BotoCoreError):
        return StoreRejectedError(f"{what}: {error}")
    return StoreUnavailableError(f"{what}: {type(error).__name__}: {error}")
