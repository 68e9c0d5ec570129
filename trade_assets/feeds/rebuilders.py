"""Rebuilding what Redis had of the feeds: newest records, derived ones too, status, covered time.

Records and times come from the files; derived records are computed anew, with inputs as the history
has them. When a file was ingested is in the ledger.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.datasets.keys import feed_prefix
from trade_assets.errors import TransientError
from trade_assets.feeds.datasets import FEEDS, derived_from
from trade_assets.feeds.derivation import Deriver
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.ingest.file_status import note_files
from trade_assets.ingest.isolation import Portion
from trade_assets.ingest.reading import FileResult, newest_file
from trade_assets.ingest.rebuilding import Rebuilder, kept_hours, write_newest
from trade_assets.logs import get_logger
from trade_assets.monitor.freshness import status_time
from trade_assets.stores.connections import Connections
from trade_assets.stores.redis.latest_store import newest_records

log = get_logger(__name__)


class FeedRebuilder:
    """Rebuilds a feed, and after each of its hours what is derived from it."""

    def __init__(self, stores: FeedStores, feed: Feed, looked_at: bool) -> None:
        self._stores = stores
        self._feed = feed
        self._looked_at = looked_at
        self._deriver = Deriver(stores)

    @property
    def dataset(self) -> Dataset:
        """The feed."""
        return self._feed

    @property
    def first(self) -> bool:
        """What is derived finds some feeds by Redis: which records they have."""
        return self._looked_at

    def hours(self) -> Sequence[str]:
        """Hours in which files landed."""
        return kept_hours(self._stores.objects, feed_prefix(self._feed))

    def rebuild(self, hour: str) -> Iterator[int]:
        """Read the files of an hour again. Quarantine and ledger stay as they are."""
        files = HourFiles(self._stores, self._feed, [hour])
        newest: list[pl.DataFrame] = []
        for batch in files.batches():
            yield write_newest(self._stores.latest, self._feed, batch.portion)
            # Derived records are wanted of the newest alone, but of a rewritten feed of each file.
            if self._feed.rewritten:
                yield self._derive(batch.portion)
            else:
                newest = [newest_records(pl.concat([*newest, batch.records]))]
        for records in newest:
            yield self._derive(Portion(records))
        self._note(files.results)

    def _derive(self, portion: Portion) -> int:
        return sum(self._derived(dataset, portion) for dataset in derived_from(self._feed))

    def _derived(self, dataset: Derived, portion: Portion) -> int:
        try:
            computed = self._deriver.compute(dataset, portion.records)
        except TransientError:
            raise
        except Exception:
            # As in the stream: what cannot be derived costs the derived records only.
            log.exception("cannot derive", dataset=dataset.path)
            return 0
        return write_newest(self._stores.latest, dataset, Portion(computed, portion.stated))

    def _note(self, results: Sequence[FileResult]) -> None:
        """Status, covered time and unknown columns, as when the files were ingested."""
        newest = newest_file(results)
        ingested_at = datetime.now(UTC) if newest is None else self._ingested_at(newest[1], results)
        lags = {item.version.key: item.version.lag_seconds(ingested_at) for item in results}
        note_files(self._stores, self._feed, results, ingested_at, lags, repair=True)

    def _ingested_at(self, key: str, results: Sequence[FileResult]) -> datetime:
        """When the ledger says that a file was ingested; else when it landed."""
        (version,) = (item.version for item in results if item.version.key == key)
        lines: list[Any] = [
            line for line in self._stores.ledger.entries(key) if line.get("sk") == version.etag
        ]
        times = [status_time(line.get("ingested_at")) for line in lines]
        return max((time for time in times if time is not None), default=version.landed_at)


def rebuilders(connections: Connections) -> list[Rebuilder]:
    """Those of all feeds, as `ingest.rebuilding` finds them."""
    stores = FeedStores(connections)
    looked_at = {
        item.feed.path
        for feed in FEEDS.values()
        for dataset in derived_from(feed)
        for item in dataset.inputs.values()
        if item.keys is None
    }
    return [FeedRebuilder(stores, feed, path in looked_at) for path, feed in FEEDS.items()]
