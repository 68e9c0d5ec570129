"""Which pictures the history answers for: an item each, in the history table.

pk `#pictures#<source>/<name>#<hour of event time>`, sk that of the picture's records: whoever looks
for its neighbours asks by time, whenever they landed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, Final

import orjson

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.pictures import Picture
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY
from trade_assets.datasets.statements import name_of
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import DynamoCalls, Item
from trade_assets.stores.dynamodb.statement_index import record_sk
from trade_assets.stores.expiry import EXPIRES_AT
from trade_assets.stores.serialise import iso_text

_PARTS: Final = 20
"""Items of a page where one moment is looked for: the desk cuts its pictures in up to 16 parts."""
_PAGE_ITEMS: Final = 100
"""And where many are: what lies behind the last of them is read in vain."""

_moment: Final = attrgetter("event_time")


class PictureIndex:
    """Pictures in and out of the history table. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls) -> None:
        self._table = settings.history_table
        self._calls = calls

    def around(self, dataset: Dataset, first: datetime, last: datetime) -> list[Picture]:
        """What is noted from the moment before `first` to the moment behind `last`, two moments of
        one hour; of that hour only. By a consistent read: what was noted before is found.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        sides = self._calls.map(
            lambda side: list(side()),
            (lambda: self._before(dataset, first), lambda: self._from(dataset, first, last)),
        )
        return [picture for side in sides for picture in side]

    def note(self, dataset: Dataset, pictures: Iterable[Picture]) -> None:
        """Note pictures whose records the history has, or has others that stand for them."""
        self._calls.put_all(self._table, [_item(dataset, picture) for picture in pictures])

    def forget(self, dataset: Dataset, places: Iterable[tuple[str, str]]) -> None:
        """Take pictures out, by event time (ISO text) and file key: none may refer to them."""
        keys = {
            (_pk(dataset, datetime.fromisoformat(time)), record_sk(time, file_key))
            for time, file_key in places
        }
        self._calls.delete_all(self._table, sorted(keys))

    def _before(self, dataset: Dataset, first: datetime) -> Iterator[Picture]:
        """The pictures of the last moment before one."""
        query = {**self._query(dataset, first, "sk < :sk"), "ScanIndexForward": False}
        found = map(_picture, self._calls.query({**query, "Limit": _PARTS}, _WHAT))
        for _, pictures in islice(groupby(found, key=_moment), 1):
            yield from pictures

    def _from(self, dataset: Dataset, first: datetime, last: datetime) -> Iterator[Picture]:
        """The pictures from one moment on, up to the first moment behind another."""
        query = self._query(dataset, first, "sk >= :sk")
        found = map(_picture, self._calls.query({**query, "Limit": _PAGE_ITEMS}, _WHAT))
        for moment, pictures in groupby(found, key=_moment):
            yield from pictures
            if moment > last:
                return

    def _query(self, dataset: Dataset, moment: datetime, place: str) -> dict[str, Any]:
        # A bare time is smaller than every sort key of that time.
        return {
            "TableName": self._table,
            "KeyConditionExpression": f"pk = :pk AND {place}",
            "ExpressionAttributeValues": {
                ":pk": {"S": _pk(dataset, moment)},
                ":sk": {"S": iso_text(moment)},
            },
            "ConsistentRead": True,
        }


_WHAT: Final = "reading which pictures there are"


def _item(dataset: Dataset, picture: Picture) -> str:
    item: dict[str, dict[str, str]] = {
        "pk": {"S": _pk(dataset, picture.event_time)},
        "sk": {"S": _sk(picture.event_time, picture.file_key)},
        EVENT_TIME: {"S": iso_text(picture.event_time)},
        FILE_KEY: {"S": picture.file_key},
        "digest": {"S": picture.digest},
    }
    if picture.expires_at is not None:
        item[EXPIRES_AT] = {"N": str(picture.expires_at)}
    return orjson.dumps(item).decode()


def _picture(item: Item) -> Picture:
    file_key, expires_at = item[FILE_KEY]["S"], item.get(EXPIRES_AT)
    return Picture(
        datetime.fromisoformat(item[EVENT_TIME]["S"]),
        name_of(file_key),
        file_key,
        item["digest"]["S"],
        None if expires_at is None else int(expires_at["N"]),
    )


def _pk(dataset: Dataset, moment: datetime) -> str:
    return f"#pictures#{dataset.path}#{moment:%Y-%m-%dT%H}"


def _sk(event_time: datetime, file_key: str) -> str:
    return record_sk(iso_text(event_time), file_key)
