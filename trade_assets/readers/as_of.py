"""Records as of a time: what was known of some keys when something else was true.

Redis answers where its newest record is not newer than asked; DynamoDB answers for the past, and
for what Redis does not have (any more).
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import EVENT_TIME, RECORD_KEY
from trade_assets.stores.dynamodb.history_store import HistoryStore, Stretch
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.serialise import texts_of, typed_frame

_TICK: Final = timedelta(microseconds=1)


class AsOf:
    """Looks into both stores for the records of a stretch of event time. Thread-safe."""

    def __init__(self, latest: LatestStore, history: HistoryStore) -> None:
        self._latest = latest
        self._history = history

    def records(
        self, dataset: Dataset, record_keys: Iterable[str], first: datetime, last: datetime
    ) -> pl.DataFrame:
        """Of every key: the newest record at or before `first`, and all later ones up to `last`
        (both aware, inclusive). Typed as `dataset.record_schema`.

        Raises:
            StoreUnavailableError: a store cannot be reached.
        """
        keys = list(record_keys)
        newest = self._latest.frame(dataset, keys)
        settled = newest.filter(pl.col(EVENT_TIME) <= first)
        answered = set(settled[RECORD_KEY])
        past = [key for key in keys if key not in answered]
        return pl.concat([settled, *self._past(dataset, past, first, last)])

    def _past(
        self, dataset: Dataset, record_keys: Iterable[str], first: datetime, last: datetime
    ) -> Iterator[pl.DataFrame]:
        """Two queries a key, all side by side: a chain of options has hundreds."""
        stretches = [
            stretch
            for key in record_keys
            for stretch in (
                Stretch(key, until=first + _TICK, limit=1),
                Stretch(key, since=first + _TICK, until=last + _TICK),
            )
        ]
        for rows in self._history.read_many(dataset, stretches):
            yield typed_frame(dataset, [texts_of(row) for row in rows])
