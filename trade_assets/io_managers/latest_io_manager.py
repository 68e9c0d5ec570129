"""IO manager of the `latest` assets: newest records, in Redis."""

from datetime import datetime

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.io_managers.layers import LATEST, HourRecords, dataset_of_asset
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.stores.connections import Stores
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.latest_store import LatestWritten
from trade_assets.stores.retrying import retrying
from trade_assets.tt.slots.slot_hours import SnapshotHour


class LatestIOManager(dg.IOManager):
    """Keeps the newest record of every key in Redis; the store's guard decides what is newest."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def write(self, feed: Dataset, records: pl.DataFrame) -> LatestWritten:
        """Offer records as the newest ones; see `LatestStore.write`."""
        return self._stores.latest.write(feed, records)

    def replace(
        self, feed: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime
    ) -> Replaced:
        """Offer records as the whole set; see `LatestStore.replace`."""
        return self._stores.latest.replace(feed, records, file_key, event_time)

    def handle_output(self, context: dg.OutputContext, obj: HourRecords) -> None:
        """Offer the records of the partition's files, and repair what was damaged."""
        dataset = dataset_of_asset(context.asset_key)
        if isinstance(obj, SnapshotHour) and dataset.replaced:
            self._replace_by_newest(obj)
        else:
            self._write_all(dataset, obj)
        context.add_output_metadata(figures_metadata(obj.figures, LATEST))

    def _write_all(self, dataset: Dataset, hour: HourRecords) -> None:
        # DynamoDB's calls retry by themselves; Redis's do not.
        again = retrying(self._stores.settings.stores.retry_seconds)
        for records in hour.frames():
            written = again(self.write, dataset, records)
            hour.figures.latest_changed += written.changed

    def _replace_by_newest(self, hour: SnapshotHour) -> None:
        """Of a replaced set only the newest picture can be what Redis should hold."""
        picture = hour.last_picture()
        if picture is None:
            return
        again = retrying(self._stores.settings.stores.retry_seconds)
        written: Replaced = again(
            self.replace, hour.snapshot, picture.records, picture.file_key, picture.slot
        )
        hour.figures.latest_changed += len(written.changed)
        hour.figures.gone += len(written.gone)

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """All newest records of the data set as Redis holds them now (`record_schema`)."""
        return self._stores.latest.whole_frame(dataset_of_asset(context.asset_key))
