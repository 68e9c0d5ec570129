"""What keeps the local stack's disk bounded: items that have expired go, and files that are as old.

DynamoDB and S3 do this themselves on AWS, by expiry and lifecycle. Here it is done a little at a
time, so that nobody waits for it: a go of a table reads on where the one before stopped.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.datasets.keys import FEEDS_PREFIX
from trade_assets.datasets.registry import all_datasets
from trade_assets.errors import TradeAssetsError
from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, s3_client
from trade_assets.stores.dynamodb.calls import BATCH_WRITE_ITEMS, DynamoCalls
from trade_assets.stores.expiry import kept_locally
from trade_assets.stores.resource_kinds import Table, declared_resources
from trade_assets.stores.retrying import NO_RETRIES

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

GO_SECONDS: Final = 10.0
"""From one go to the next."""
TABLE_SHARE_SECONDS: Final = 0.8
"""A go reads a table for no longer: at most a twelfth of DynamoDB's time."""
BUCKET_EVERY_SECONDS: Final = 300.0
PAGE_ITEMS: Final = 250
"""Items of one Scan; the local DynamoDB answers nobody else meanwhile."""

_log: Final = structlog.get_logger(__name__)

Key = Mapping[str, Any]


@dataclass
class ExpiredItems:
    """Deletes the expired items of one table, pass after pass.

    Attributes:
        calls: of DynamoDB.
        table: which one; it names its expiry attribute.
    """

    calls: DynamoCalls
    table: Table
    _next: Key | None = field(default=None, init=False)

    def go(self, now: datetime, seconds: float, clock: Callable[[], float] = time.monotonic) -> int:
        """Read on for so long, and to the table's end at most; how many items went.

        Raises:
            TradeAssetsError: DynamoDB is away.
        """
        deadline, gone = clock() + seconds, 0
        while True:
            expired = self._page(now)
            for at in range(0, len(expired), BATCH_WRITE_ITEMS):
                self._delete(expired[at : at + BATCH_WRITE_ITEMS])
            gone += len(expired)
            if self._next is None or clock() >= deadline:
                return gone

    def _page(self, now: datetime) -> list[Key]:
        body: dict[str, Any] = {
            "TableName": self.table.name,
            "Limit": PAGE_ITEMS,
            "ProjectionExpression": "#pk, #sk",
            "FilterExpression": "#expiry < :now",
            "ExpressionAttributeNames": {
                "#pk": self.table.partition_key,
                "#sk": self.table.sort_key,
                "#expiry": self.table.expiry_attribute,
            },
            "ExpressionAttributeValues": {":now": {"N": str(int(now.timestamp()))}},
        }
        if self._next is not None:
            body["ExclusiveStartKey"] = self._next
        page = orjson.loads(self.calls.call("Scan", orjson.dumps(body)))
        self._next = page.get("LastEvaluatedKey")
        found: list[Key] = page["Items"]
        return found

    def _delete(self, keys: list[Key]) -> None:
        requests = [{"DeleteRequest": {"Key": key}} for key in keys]
        self.calls.call(
            "BatchWriteItem", orjson.dumps({"RequestItems": {self.table.name: requests}})
        )


class OldFiles:
    """Deletes the files of hours that are over for long enough, with all their versions."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._s3: S3Client = s3_client(settings)

    def go(self, now: datetime) -> int:
        """Look at every hour there is; how many versions went.

        Raises:
            TradeAssetsError: S3 is away, or refuses.
        """
        try:
            return sum(self._empty(hour) for hour in self._old_hours(now))
        except (BotoCoreError, ClientError) as error:
            raise as_store_error(error, "deleting old files") from error

    def close(self) -> None:
        """Give connections back."""
        self._s3.close()

    def _old_hours(self, now: datetime) -> Iterator[str]:
        """Prefixes of hours (`…/dt=…/hh=…/`) whose files may go."""
        folders = self._below("")
        while folders:
            folder = folders.pop()
            if not _is_hour(folder):
                folders += self._below(folder)
            elif _hour_of(folder) + timedelta(hours=1) + self._kept(folder) < now:
                yield folder

    def _below(self, folder: str) -> list[str]:
        """Folders of a folder; that nothing but deleted objects is left in one does not matter."""
        pages = self._s3.get_paginator("list_object_versions").paginate(
            Bucket=self._settings.bucket, Prefix=folder, Delimiter="/"
        )
        return [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]

    def _kept(self, folder: str) -> timedelta:
        """How long this folder's hour is kept; `_old_hours` is only asked where there is an end."""
        path = "/".join(folder.partition(FEEDS_PREFIX)[2].split("/")[:2])
        kept = kept_locally(self._settings, all_datasets().get(path))
        return timedelta.max / 2 if kept is None else kept

    def _empty(self, hour: str) -> int:
        gone = 0
        bucket = self._settings.bucket
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=hour)
        for page in pages:
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects: list[ObjectIdentifierTypeDef] = [
                {"Key": item["Key"], "VersionId": item["VersionId"]} for item in found
            ]
            if objects:
                self._s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            gone += len(objects)
        return gone


def _is_hour(folder: str) -> bool:
    return folder.rstrip("/").rpartition("/")[2].startswith("hh=")


def _hour_of(folder: str) -> datetime:
    _, day, hour = folder.rstrip("/").rsplit("/", 2)
    return datetime.strptime(f"{day} {hour}", "dt=%Y-%m-%d hh=%H").replace(tzinfo=UTC)


class Retention:
    """Goes on in a thread of its own, as long as the context lasts; a store that is away is asked
    again with the next go. Nothing is done where everything is kept for ever.

    `tables`: whether DynamoDB does not expire items itself.
    """

    def __init__(self, settings: Settings, *, tables: bool) -> None:
        self._settings = settings
        self._tables = tables
        self._stop = Event()
        self._thread = Thread(target=self._run, name="retention", daemon=True)

    def _run(self) -> None:
        calls = DynamoCalls(self._settings, NO_RETRIES)
        expiring = [
            ExpiredItems(calls, item)
            for item in declared_resources(self._settings)
            if isinstance(item, Table) and item.expiry_attribute is not None and self._tables
        ]
        files, bucket_due = OldFiles(self._settings), 0.0
        while not self._stop.wait(GO_SECONDS):
            now = datetime.now(UTC)
            try:
                for items in expiring:
                    items.go(now, TABLE_SHARE_SECONDS)
                if time.monotonic() >= bucket_due:
                    files.go(now)
                    bucket_due = time.monotonic() + BUCKET_EVERY_SECONDS
            except TradeAssetsError as error:
                _log.debug("retention waits for a store", error=str(error))
        files.close()
        calls.close()

    def is_alive(self) -> bool:
        """Whether it goes on."""
        return self._thread.is_alive()

    def __enter__(self) -> "Retention":
        if kept_locally(self._settings) is not None:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(GO_SECONDS)
