"""Records as of a time: what was known of some keys when something else was true.

Redis answers where its newest record is not newer than asked; DynamoDB answers for the past, and
for what Redis does not have (any more).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import EVENT_TIME, RECORD_KEY
from trade_assets.stores.dynamodb.history_store import HistoryStore
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.serialise import typed_frame

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
        past = [self._past(dataset, key, first, last) for key in keys if key not in answered]
        return pl.concat([settled, *past])

    def _past(
        self, dataset: Dataset, record_key: str, first: datetime, last: datetime
    ) -> pl.DataFrame:
        read = self._history.read
        rows = [
            *read(dataset, record_key, until=first + _TICK, limit=1),
            *read(dataset, record_key, since=first + _TICK, until=last + _TICK),
        ]
        return typed_frame(dataset, [_texts(row) for row in rows])


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in row.items()}
