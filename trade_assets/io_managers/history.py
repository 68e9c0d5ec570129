"""IO manager of the `history` assets: every record, in DynamoDB."""

import dagster as dg
import polars as pl

from trade_assets.feeds.base import Feed
from trade_assets.io_managers.base import HISTORY, feed_of_asset, input_files
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.stores.bundle import Stores
from trade_assets.stores.history import HistoryWritten
from trade_assets.streaming.hours import HourFiles


class HistoryIOManager(dg.IOManager):
    """Keeps every record in DynamoDB, each once: the same input makes the same items."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def write(self, feed: Feed, records: pl.DataFrame) -> HistoryWritten:
        """Store records for good; see `HistoryStore.write`."""
        return self._stores.history.write(feed, records)

    def handle_output(self, context: dg.OutputContext, obj: HourFiles) -> None:
        """Store the records of the partition's files."""
        feed = feed_of_asset(context.asset_key)
        for batch in obj.batches():
            written = self.write(feed, batch.records)
            obj.figures.history_puts += written.puts
        context.add_output_metadata(figures_metadata(obj.figures, HISTORY))

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """The records of the upstream partitions, read from DynamoDB (`feed.record_schema`).

        What should be there comes from the files of those hours; what is there, from the table.
        """
        files = input_files(context, self._stores)
        frames = [
            self._stores.history.fetch(files.feed, batch.records) for batch in files.batches()
        ]
        return pl.concat([pl.DataFrame(schema=files.feed.record_schema), *frames])
