"""Makes tables, and the generation that names the life of one. Nothing is ever deleted here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.exceptions import ClientError

from trade_assets.errors import StoreUnavailableError
from trade_assets.stores.resource_kinds import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_WAIT: Final = {"Delay": 1, "MaxAttempts": 60}


def table_shape(table: Table) -> dict[str, Any]:
    """Keys and billing of a table, as `create_table` takes them."""
    return {
        "AttributeDefinitions": [
            {"AttributeName": table.partition_key, "AttributeType": "S"},
            {"AttributeName": table.sort_key, "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": table.partition_key, "KeyType": "HASH"},
            {"AttributeName": table.sort_key, "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


def ensure_table(dynamodb: "DynamoDBClient", table: Table) -> bool:
    """Ask for a table if it is missing, without waiting for it; whether it was missing."""
    encryption: dict[str, Any] = {}
    if table.encrypted_by_kms:
        encryption = {"SSESpecification": {"Enabled": True, "SSEType": "KMS"}}
    try:
        dynamodb.create_table(TableName=table.name, **table_shape(table), **encryption)
    except ClientError as error:
        if _code(error) == "ResourceInUseException":
            return False
        raise
    return True


def settle_table(dynamodb: "DynamoDBClient", table: Table, *, strict: bool = True) -> None:
    """Wait until a table is there, and give it its backups and its expiry.

    A local server may know neither: only then, and where not `strict`, the table goes without.

    Raises:
        StoreUnavailableError: AWS is still setting it up.
    """
    dynamodb.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig=_WAIT)  # type: ignore[arg-type]
    if table.point_in_time_recovery:
        with _unknown_operations(allowed=not strict):
            _point_in_time_recovery(dynamodb, table.name)
    if table.expiry_attribute is not None:
        with _unknown_operations(allowed=not strict):
            _time_to_live(dynamodb, table.name, table.expiry_attribute)


@contextmanager
def _unknown_operations(*, allowed: bool) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if not allowed or _code(error) != "UnknownOperationException":
            raise


def ensure_generation(dynamodb: "DynamoDBClient", table: Table, key: str, *, new: bool) -> str:
    """The stored generation of a table, made if absent, replaced if `new`."""
    at: dict[str, Any] = {table.partition_key: {"S": key}, table.sort_key: {"S": key}}
    made = uuid4().hex
    item = {**at, "generation": {"S": made}}
    if new:
        dynamodb.put_item(TableName=table.name, Item=item)
        return made
    try:
        dynamodb.put_item(
            TableName=table.name,
            Item=item,
            ConditionExpression=f"attribute_not_exists({table.partition_key})",
        )
    except ClientError as error:
        if _code(error) != "ConditionalCheckFailedException":
            raise
        there = dynamodb.get_item(TableName=table.name, Key=at, ConsistentRead=True)
        return there["Item"]["generation"]["S"]
    return made


def _point_in_time_recovery(dynamodb: "DynamoDBClient", name: str) -> None:
    there = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    status = there.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    if status == "ENABLED":
        return
    _once_table_settles(
        lambda: dynamodb.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
    )


def _time_to_live(dynamodb: "DynamoDBClient", name: str, attribute: str) -> None:
    there = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if there.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}:
        return
    _once_table_settles(
        lambda: dynamodb.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute},
        )
    )


def _once_table_settles(update: Callable[[], object]) -> None:
    """Run an update of a table that AWS may still be setting up: transient, so say so."""
    try:
        update()
    except ClientError as error:
        if _code(error) in {"ContinuousBackupsUnavailableException", "ResourceInUseException"}:
            raise StoreUnavailableError(
                "a new table is still being set up; provision again in a minute"
            ) from error
        raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
