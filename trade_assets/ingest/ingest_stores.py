"""The stores that every ingest writes: records, files, and the accounts of both."""

from functools import cached_property

from trade_assets.stores.connections import StoreBundle
from trade_assets.stores.dynamodb.first_hour import FirstHour
from trade_assets.stores.dynamodb.history_store import HistoryStore
from trade_assets.stores.dynamodb.ledger import Ledger
from trade_assets.stores.redis.corrections import Corrections
from trade_assets.stores.redis.coverage import Coverage
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.redis.unknown_columns import UnknownColumns
from trade_assets.stores.s3.object_versions import ObjectVersions


class IngestStores(StoreBundle):
    """Stores of any data set; each is made when it is first used."""

    @cached_property
    def latest(self) -> LatestStore:
        """Newest records, in Redis."""
        connections = self.connections
        return LatestStore(self.settings, connections.redis, connections.redis_retries)

    @cached_property
    def history(self) -> HistoryStore:
        """Every record, in DynamoDB."""
        return HistoryStore(self.settings, self.connections.dynamodb)

    @cached_property
    def ledger(self) -> Ledger:
        """Ingested file versions, in DynamoDB."""
        return Ledger(self.settings, self.connections.dynamodb)

    @cached_property
    def first_hour(self) -> FirstHour:
        """The first hour with data, in DynamoDB."""
        return FirstHour(self.settings, self.connections.dynamodb)

    @cached_property
    def object_versions(self) -> ObjectVersions:
        """Former versions of files, in S3."""
        return ObjectVersions(self.settings, self.connections.file_retries)

    @cached_property
    def coverage(self) -> Coverage:
        """Covered stretches of event time by data set, in Redis."""
        ahead_seconds = self.settings.arrival.ahead_seconds
        return Coverage(self.connections.redis, self.connections.redis_retries, ahead_seconds)

    @cached_property
    def corrections(self) -> Corrections:
        """Taking back newest records that cannot be, in Redis."""
        return Corrections(self.connections.redis, self.connections.redis_retries)

    @cached_property
    def unknown_columns(self) -> UnknownColumns:
        """Columns that the registry does not know, in Redis."""
        return UnknownColumns(self.connections.redis, self.connections.redis_retries)

    def close(self) -> None:
        """Close the connections, and that of the former versions."""
        if "object_versions" in self.__dict__:
            self.object_versions.close()
        super().close()
