"""How many rows the files of a landing hour have given so far: the same number whoever counts, a
stream run of its last files or a rerun of them all.

The bucket says which files there are, the ledger what is stored of them; what this process has
stored itself it need not ask for.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import hour_prefix, partition_hour
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.stores.s3.objects import ObjectInfo

HOURS_KEPT: Final = 48
"""Hours of feeds that are remembered: counting one anew costs a listing and a read of its lines."""


@dataclass
class _Hour:
    """An hour of a feed: rows by key and ETag of what is stored, and the last key before the first
    that is not."""

    rows: dict[str, tuple[str, int]] = field(default_factory=dict)
    settled: str | None = None


class HourRows:
    """Counts rows of hours, and remembers what cannot change any more. For one thread."""

    def __init__(self, stores: IngestStores) -> None:
        self._stores = stores
        self._hours: OrderedDict[tuple[str, str], _Hour] = OrderedDict()

    def total(self, feed: Feed, partition: str, own: Iterable[tuple[str, str, int]] = ()) -> int:
        """Rows that are records, of all files of an hour that are stored.

        Args:
            own: key, ETag and rows of files of it that were stored just now.

        Raises:
            StoreUnavailableError: S3 or DynamoDB cannot be reached.
        """
        hour = self._hours.setdefault((feed.path, partition), _Hour())
        self._hours.move_to_end((feed.path, partition))
        while len(self._hours) > HOURS_KEPT:
            self._hours.popitem(last=False)
        hour.rows |= {key: (etag, rows) for key, etag, rows in own}
        prefix = hour_prefix(feed, partition_hour(partition))
        # A key that is written again may be any of them.
        after = None if feed.rewritten else hour.settled
        self._take(hour, list(self._stores.objects.list_after(prefix, after)))
        return sum(rows for _, rows in hour.rows.values())

    def _take(self, hour: _Hour, listed: list[ObjectInfo]) -> None:
        asked = [
            (info.key, info.etag)
            for info in listed
            if hour.rows.get(info.key, ("", 0))[0] != info.etag
        ]
        found = self._stores.ledger.rows_kept(asked)
        hour.rows |= {key: (etag, rows) for (key, etag), rows in found.items()}
        waiting = {key for key, etag in asked if (key, etag) not in found}
        for info in listed:
            if info.key in waiting:
                return
            hour.settled = info.key
