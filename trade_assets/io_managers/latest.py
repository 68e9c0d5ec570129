"""IO manager of the `latest` assets: newest records, in Redis."""

import dagster as dg
import polars as pl

from trade_assets.feeds.base import Dataset
from trade_assets.io_managers.base import LATEST, HourRecords, dataset_of_asset
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.stores.bundle import Stores
from trade_assets.stores.latest import LatestWritten
from trade_assets.stores.retrying import retrying


class LatestIOManager(dg.IOManager):
    """Keeps the newest record of every key in Redis; the store's guard decides what is newest."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def write(self, feed: Dataset, records: pl.DataFrame) -> LatestWritten:
        """Offer records as the newest ones; see `LatestStore.write`."""
        return self._stores.latest.write(feed, records)

    def handle_output(self, context: dg.OutputContext, obj: HourRecords) -> None:
        """Offer the records of the partition's files, and repair what was damaged."""
        dataset = dataset_of_asset(context.asset_key)
        # DynamoDB's calls retry by themselves; Redis's do not.
        again = retrying(self._stores.settings.store_retry_seconds)
        for records in obj.frames():
            written = again(self.write, dataset, records)
            obj.figures.latest_changed += written.changed
        context.add_output_metadata(figures_metadata(obj.figures, LATEST))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """All newest records of the data set as Redis holds them now (`record_schema`)."""
        dataset = dataset_of_asset(context.asset_key)
        store = self._stores.latest
        return store.frame(dataset, store.record_keys(dataset))
