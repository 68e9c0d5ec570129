"""What holds again when a statement does not say a record any more: the one before it.

Of a settlement price that was corrected away the price of the day before is the newest one again.
"""

from collections.abc import Iterable

from trade_assets.datasets.dataset import Dataset
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.stores.serialise import texts_of, typed_frame


def restore_former(stores: IngestStores, dataset: Dataset, record_keys: Iterable[str]) -> None:
    """Offer `latest` of record keys the newest record that the history holds, if it holds one.

    Where days succeed each other, no earlier day's record holds again. To be called when the
    history has closed what is dropped; doing it again changes nothing.

    Raises:
        StoreUnavailableError: a store cannot be reached.
    """
    if dataset.statement is None or dataset.statement.succeeds:
        return
    rows = [
        texts_of(record)
        for key in record_keys
        for record in stores.history.read(dataset, key, newest_first=True, limit=1)
    ]
    if rows:
        stores.latest.write(dataset, typed_frame(dataset, rows))
