"""IO manager of the `history` assets: every record, in DynamoDB."""

from collections.abc import Mapping

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.keys import HISTORY
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.former_records import restore_former
from trade_assets.ingest.hour_records import HourOpener, HourRecords
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.ingest.isolation import Isolation
from trade_assets.io_managers.metadata import dataset_of_asset, figures_metadata
from trade_assets.stores.dynamodb.history_store import HistoryWritten


class HistoryIOManager(dg.IOManager):
    """Keeps every record in DynamoDB, each once: the same input makes the same items.

    Args:
        stores: where.
        hours: what opens the records of hour partitions, by the path of their data set.
    """

    def __init__(self, stores: IngestStores, hours: Mapping[str, HourOpener]) -> None:
        self._stores = stores
        self._hours = hours

    def over(self, stores: IngestStores) -> "HistoryIOManager":
        """The same over other connections: for who is in more of a hurry, or less."""
        return HistoryIOManager(stores, self._hours)

    def write(
        self,
        dataset: Dataset,
        records: pl.DataFrame,
        stated: StatedAt = NOTHING_STATED,
        *,
        settle: bool = False,
    ) -> HistoryWritten:
        """Store records for good; see `HistoryStore.write`, and of pictures `PictureHistory`."""
        if dataset.pictures:
            return self._stores.pictures.write(dataset, records, settle=settle)
        return self._stores.history.write(dataset, records, stated)

    def store(self, hours: HourRecords) -> None:
        """Write all records of hours that the history holds."""
        for portion in hours.history_portions():
            parts = Isolation(portion)
            for part in parts:
                try:
                    written = self.write(hours.dataset, part.records, part.stated, settle=True)
                except StoreRejectedError as error:
                    parts.refuse(part, error)
                    continue
                hours.figures.history_puts += written.puts
                hours.note_unchanged(written.unchanged)
                restore_former(self._stores, hours.dataset, written.dropped)
            hours.refuse(parts.refused)

    def handle_output(self, context: dg.OutputContext, obj: HourRecords) -> None:
        """Store the records of the partition's files, or what changed in its snapshots."""
        self.store(obj)
        context.add_output_metadata(figures_metadata(obj.figures, HISTORY))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """The records of the upstream partitions, read from DynamoDB (`record_schema`).

        What should be there comes from the files of those hours; what is there, from the table.
        """
        dataset = dataset_of_asset(context.asset_key)
        hours = self._hours[dataset.path](context.asset_partition_keys)
        fetch = self._stores.history.fetch
        frames = [fetch(dataset, records) for records in hours.history_frames()]
        return pl.concat([pl.DataFrame(schema=dataset.record_schema), *frames])
