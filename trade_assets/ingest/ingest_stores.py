"""The stores that every ingest writes: records, files, and the accounts of both."""

from datetime import UTC, datetime
from functools import cached_property

from trade_assets.errors import StoreUnavailableError, TransientError
from trade_assets.ingest.picture_history import FileRows, PictureHistory
from trade_assets.ingest.reading import FileVersion, read_files
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
    def pictures(self) -> PictureHistory:
        """The history of files that are pictures."""
        history = self.history
        return PictureHistory(history, history.pictures, self._read_again, self.ledger.recount)

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

    def _read_again(self, file_key: str) -> FileRows | None:
        try:
            (result,) = read_files(self, [FileVersion(file_key, "", datetime.now(UTC))])
        except StoreUnavailableError as error:
            # Not the history is away, and whoever writes it must not think so.
            raise TransientError(str(error)) from error
        if result.records is None:
            return None
        return FileRows(result.records, result.version.etag)

    def close(self) -> None:
        """Close the connections, and that of the former versions."""
        if "object_versions" in self.__dict__:
            self.object_versions.close()
        super().close()
