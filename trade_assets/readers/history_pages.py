"""The history of a record for whoever reads it bit by bit: a page, the next one, and what was so at
a moment.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from trade_assets.datasets.dataset import Dataset
from trade_assets.errors import UnknownPlaceError
from trade_assets.readers.typed_records import Record, typed_record
from trade_assets.stores.dynamodb.history_store import HistoryStore, place_of

LONGEST_PAGE: Final = 10_000
"""Most records of a page: some megabytes of JSON."""

_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Range:
    """Which records of a key: `since` inclusive, `until` exclusive, both aware."""

    since: datetime | None = None
    until: datetime | None = None
    newest_first: bool = True


EVERYTHING: Final = Range()


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Some records in the order asked for.

    Attributes:
        token: where the next page begins; None: this was the last one.
    """

    records: list[Record]
    token: str | None


class HistoryReader:
    """Reads the history of records. Thread-safe."""

    def __init__(self, history: HistoryStore) -> None:
        self._history = history

    def page(
        self,
        dataset: Dataset,
        record_key: str,
        wanted: Range = EVERYTHING,
        *,
        limit: int,
        token: str | None = None,
    ) -> HistoryPage:
        """At most `limit` records, from where the page before (`token`) ended.

        Raises:
            UnknownPlaceError: the token is none of ours.
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        count = min(limit, LONGEST_PAGE)
        behind = None if token is None else _place(token)
        # One more than asked for shows whether there is another page.
        found = list(islice(self._read(dataset, record_key, wanted, count + 1, behind), count + 1))
        shown = found[:count]
        more = len(found) > count
        return HistoryPage(
            [typed_record(dataset, record) for record in shown],
            _token(place_of(shown[-1])) if more and shown else None,
        )

    def every(
        self,
        dataset: Dataset,
        record_key: str,
        wanted: Range = EVERYTHING,
        *,
        most: int | None = None,
    ) -> Iterator[Record]:
        """All records, or `most` of them, as they are read.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        for record in self._read(dataset, record_key, wanted, most, None):
            yield typed_record(dataset, record)

    def as_of(self, dataset: Dataset, record_key: str, moment: datetime) -> Record | None:
        """The record that held at a moment (aware), as was known by then; None: there was none.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        until = moment + _TICK
        for record in self._history.read(dataset, record_key, until=until, limit=1):
            return typed_record(dataset, record)
        return None

    def _read(
        self,
        dataset: Dataset,
        record_key: str,
        wanted: Range,
        limit: int | None,
        behind: str | None,
    ) -> Iterator[dict[str, Any]]:
        return self._history.read(
            dataset,
            record_key,
            since=wanted.since,
            until=wanted.until,
            newest_first=wanted.newest_first,
            limit=limit,
            behind=behind,
        )


def _token(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode()


def _place(token: str) -> str:
    try:
        place = base64.urlsafe_b64decode(token.encode()).decode()
        datetime.fromisoformat(place.partition("#")[0])
    except (binascii.Error, ValueError):
        raise UnknownPlaceError(f"{token!r} is no token of a page") from None
    return place
