"""Whether the stores of the platform answer at all, and have been provisioned: within seconds.

What is in them is looked at by the sections of the concepts, behind these checks.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.monitor.part_status import IMPATIENT, PartLooker
from trade_assets.monitor.sections import StorePart
from trade_assets.settings import AwsService, Settings
from trade_assets.stores.aws import as_store_error, dynamodb_client, s3_client, sqs_client
from trade_assets.stores.redis.client import connect, disconnect, redis_errors

if TYPE_CHECKING:
    import redis
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


PROBE_KEY: Final = "health:probe"
"""Redis: written by every look, and gone in a moment."""

_SERVICES: Final = {
    StorePart.S3: AwsService.S3,
    StorePart.SQS: AwsService.SQS,
    StorePart.DYNAMODB: AwsService.DYNAMODB,
}


class StoreChecks:
    """Asks each store one small question; keeps its connections. One thread a store.

    Sessions of boto3 make clients in one thread only: S3, SQS and DynamoDB share it.
    """

    def __init__(self, settings: Settings, parts: PartLooker) -> None:
        self._settings = settings
        self._parts = parts
        self._checks: Mapping[StorePart, Callable[[], None]] = {
            StorePart.S3: self._check_bucket,
            StorePart.SQS: self._check_queue,
            StorePart.DYNAMODB: self._check_tables,
            StorePart.REDIS: self._check_redis,
        }

    def where(self, part: StorePart) -> str:
        """Where a store is, and under which names, for people."""
        settings = self._settings
        if part is StorePart.REDIS:
            return settings.redis_display_url
        endpoint = self._endpoint(part) or f"AWS {settings.stores.aws_region}"
        names = {
            StorePart.S3: f"s3://{settings.bucket}",
            StorePart.SQS: settings.queue_name,
            StorePart.DYNAMODB: f"{settings.history_table}, {settings.ledger_table}",
        }
        return f"{endpoint} {names[part]}"

    def check(self, part: StorePart) -> None:
        """Fail unless a store answers and has what the platform needs.

        Raises:
            StoreUnavailableError: it does not answer.
            StoreRejectedError: it refuses, or something was not provisioned.
        """
        if part is not StorePart.REDIS:
            # The clients, those of the sections too, would try for longer than a look may take.
            self._parts.require_listener(self._endpoint(part))
        self._checks[part]()

    def write_problem(self, part: StorePart) -> str | None:
        """Why a store that answers takes no writes; None where it does, or nobody can tell.

        Redis alone is asked: full, or a replica, it goes on answering reads as if nothing was.
        """
        if part is not StorePart.REDIS:
            return None
        try:
            with redis_errors("writing"):
                self._redis.set(PROBE_KEY, "1", px=1000)
        except StoreUnavailableError as error:
            return f"takes no writes: {error}"
        except StoreRejectedError:
            return None  # who only looks may not be allowed to
        return None

    def close(self) -> None:
        """Give connections back."""
        for name in ("_s3", "_sqs", "_dynamodb"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "_redis" in self.__dict__:
            disconnect(self._redis)

    def _endpoint(self, part: StorePart) -> str | None:
        return self._settings.aws_endpoint_of(_SERVICES[part])

    def _check_bucket(self) -> None:
        bucket = self._settings.bucket
        try:
            # A listing would take whatever answers for an empty bucket.
            self._s3.head_bucket(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the bucket {bucket}") from error

    def _check_queue(self) -> None:
        name = self._settings.dead_letter_queue_name
        try:
            self._sqs.get_queue_url(QueueName=name)
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(error, f"finding the queue {name}") from error

    def _check_tables(self) -> None:
        for table in (self._settings.history_table, self._settings.ledger_table):
            try:
                state = self._dynamodb.describe_table(TableName=table)["Table"]["TableStatus"]
            except (ClientError, BotoCoreError) as error:
                raise as_store_error(error, f"looking at the table {table}") from error
            if state not in ("ACTIVE", "UPDATING"):
                raise StoreRejectedError(f"the table {table} is {state.lower()}")

    def _check_redis(self) -> None:
        with redis_errors(f"reaching {self._settings.redis_display_url}"):
            self._redis.ping()

    @cached_property
    def _s3(self) -> "S3Client":
        return s3_client(self._settings, **IMPATIENT)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return sqs_client(self._settings, **IMPATIENT)

    @cached_property
    def _dynamodb(self) -> "DynamoDBClient":
        return dynamodb_client(self._settings, **IMPATIENT)

    @cached_property
    def _redis(self) -> "redis.Redis":
        return connect(self._settings)
