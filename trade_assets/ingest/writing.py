"""What writes records into the two stores: the IO managers do, and so do the stores themselves."""

from datetime import datetime
from typing import Protocol

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.latest_store import LatestWritten


class LatestWriter(Protocol):
    """Writes newest records, as `LatestStore` does."""

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED, /
    ) -> LatestWritten:
        """Offer records as the newest ones."""


class SetWriter(LatestWriter, Protocol):
    """Writes newest records, and sets that are replaced as a whole, as `LatestStore` does."""

    def replace(
        self, dataset: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime, /
    ) -> Replaced:
        """Offer records as the whole set."""


class HistoryWriter(Protocol):
    """Writes records for good, as `HistoryStore` does."""

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED, /
    ) -> HistoryWritten:
        """Store records for good."""
