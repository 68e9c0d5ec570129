"""IO manager of the reference tables: whole Polars frames, in S3 as Parquet."""

from io import BytesIO

import dagster as dg
import polars as pl

from trade_assets.datasets.keys import reference_key
from trade_assets.stores.connections import Connections


class ReferenceIOManager(dg.IOManager):
    """Keeps a table of reference data under `reference/<name>.parquet`, replaced as a whole."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        """Store the table."""
        key = reference_key(context.asset_key.path[-1])
        buffer = BytesIO()
        obj.write_parquet(buffer)
        self._connections.objects.put(key, buffer.getvalue())
        context.add_output_metadata({"key": key, "bytes": buffer.tell()})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        """The table as it is stored."""
        stored = self._connections.objects.get(reference_key(context.asset_key.path[-1]))
        return pl.read_parquet(stored.data)
