"""IO manager of the `history` assets: every record, in DynamoDB."""

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.io_managers.layers import (
    HISTORY,
    HourRecords,
    dataset_of_asset,
    history_frames,
    input_records,
)
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.stores.connections import Stores
from trade_assets.stores.dynamodb.history_store import HistoryWritten


class HistoryIOManager(dg.IOManager):
    """Keeps every record in DynamoDB, each once: the same input makes the same items."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def write(self, feed: Dataset, records: pl.DataFrame) -> HistoryWritten:
        """Store records for good; see `HistoryStore.write`."""
        return self._stores.history.write(feed, records)

    def handle_output(self, context: dg.OutputContext, obj: HourRecords) -> None:
        """Store the records of the partition's files, or what changed in its snapshots."""
        dataset = dataset_of_asset(context.asset_key)
        for records in history_frames(obj):
            written = self.write(dataset, records)
            obj.figures.history_puts += written.puts
        context.add_output_metadata(figures_metadata(obj.figures, HISTORY))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """The records of the upstream partitions, read from DynamoDB (`record_schema`).

        What should be there comes from the files of those hours; what is there, from the table.
        """
        dataset = dataset_of_asset(context.asset_key)
        expected = history_frames(input_records(context, self._stores))
        frames = [self._stores.history.fetch(dataset, records) for records in expected]
        return pl.concat([pl.DataFrame(schema=dataset.record_schema), *frames])
