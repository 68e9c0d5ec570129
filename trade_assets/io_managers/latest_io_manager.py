"""IO manager of the `latest` assets: newest records, in Redis."""

from datetime import datetime

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.keys import LATEST
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.hour_records import HourRecords
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.ingest.isolation import Isolation
from trade_assets.io_managers.metadata import dataset_of_asset, figures_metadata
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.latest_store import LatestWritten


class LatestIOManager(dg.IOManager):
    """Keeps the newest record of every key in Redis; the store's guard decides what is newest."""

    def __init__(self, stores: IngestStores) -> None:
        self._stores = stores

    def over(self, stores: IngestStores) -> "LatestIOManager":
        """The same over other connections: for who is in more of a hurry, or less."""
        return LatestIOManager(stores)

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> LatestWritten:
        """Offer records as the newest ones; see `LatestStore.write`."""
        return self._stores.latest.write(dataset, records, stated)

    def replace(
        self, dataset: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime
    ) -> Replaced:
        """Offer records as the whole set; see `LatestStore.replace`."""
        return self._stores.latest.replace(dataset, records, file_key, event_time)

    def store(self, hours: HourRecords) -> None:
        """Offer the records of hours, or of a replaced set its newest picture."""
        if hours.dataset.replaced:
            self._replace(hours)
            return
        for portion in hours.portions():
            parts = Isolation(portion)
            for part in parts:
                try:
                    written = self.write(hours.dataset, part.records, part.stated)
                except StoreRejectedError as error:
                    parts.refuse(part, error)
                    continue
                hours.figures.latest_changed += written.changed
                hours.figures.gone += written.gone
            hours.refuse(parts.refused)

    def handle_output(self, context: dg.OutputContext, obj: HourRecords) -> None:
        """Offer the records of the partition's files, and repair what was damaged."""
        self.store(obj)
        context.add_output_metadata(figures_metadata(obj.figures, LATEST))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """All newest records of the data set as Redis holds them now (`record_schema`)."""
        return self._stores.latest.whole_frame(dataset_of_asset(context.asset_key))

    def _replace(self, hours: HourRecords) -> None:
        newest = hours.newest_set()
        if newest is None:
            return
        records, key, event_time = newest.records, newest.file_key, newest.event_time
        try:
            written = self.replace(hours.dataset, records, key, event_time)
        except StoreRejectedError as error:
            hours.refuse({key: error})
            return
        hours.figures.latest_changed += len(written.changed)
        hours.figures.gone += len(written.gone)
