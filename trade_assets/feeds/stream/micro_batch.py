"""What passes through the consumer: a micro-batch on its way, and the writers that it goes to."""

from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.ingest.reading import FileResult, FileVersion
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.redis.latest_store import LatestWritten
from trade_assets.stores.sqs.notifications import Message


class LatestWriter(Protocol):
    """The typed write method of the Redis IO manager."""

    def write(self, feed: Dataset, records: pl.DataFrame) -> LatestWritten:
        """Offer records as the newest ones."""


class HistoryWriter(Protocol):
    """The typed write method of the DynamoDB IO manager."""

    def write(self, feed: Dataset, records: pl.DataFrame) -> HistoryWritten:
        """Store records for good."""


@dataclass
class Work:
    """A micro-batch on its way: its messages, and its files by key.

    `extra` are versions that were superseded; `lags` are seconds by file key, `changed` and `puts`
    counts by feed path.
    """

    messages: list[Message]
    results: dict[str, FileResult] = field(default_factory=dict)
    extra: list[FileResult] = field(default_factory=list)
    lags: dict[str, float] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    puts: dict[str, int] = field(default_factory=dict)

    def supersede(self, version: FileVersion) -> None:
        """Note that a version was rewritten before its rows were final."""
        self.extra.append(
            FileResult(version, state=FileState.SUPERSEDED, error="rewritten before it was read")
        )

    def is_done(self, message: Message) -> bool:
        """Whether everything that a message announces is through, well or in quarantine."""
        if message.announced is None:
            return False
        results = (self.results.get(item.key) for item in message.announced)
        return all(result is None or result.state is not FileState.FAILED for result in results)
