"""History: every record, in DynamoDB. The table's keys and the rules of overwriting live here.

pk `<source>#<feed>#<record_key>`, sk `<event_time ISO µs Z>#<file name>`: the same input makes the
same items, so a replay writes nothing new.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import dropwhile, islice
from typing import Any, Final

import orjson
import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.pictures import stood_for
from trade_assets.datasets.records import EVENT_TIME, FEED, FILE_KEY, RECORD_KEY, ROW, SOURCE
from trade_assets.datasets.statements import (
    NOTHING_STATED,
    StatedAt,
    Statement,
    Version,
    moment_of,
    statements_of,
)
from trade_assets.datasets.timelines import Timeline
from trade_assets.errors import StoreRejectedError
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls, Item
from trade_assets.stores.dynamodb.picture_index import PictureIndex
from trade_assets.stores.dynamodb.statement_index import (
    StatementIndex,
    record_pk,
    record_sk,
    standing,
)
from trade_assets.stores.expiry import EXPIRES_AT, record_expiry
from trade_assets.stores.serialise import (
    dynamodb_items,
    iso_text,
    texts_of,
    typed_frame,
    with_keys,
)

_OF_THE_TABLE: Final = ("pk", "sk", EXPIRES_AT)

_NOT_NEWER: Final = "NOT (file_key > :file_key AND file_key < :end)"
"""Holds for an absent, a damaged and an older item, as `_is_newer` does for one that was read."""


_LAST: Final = "9999-12-31T23:59:59.999999Z"
"""Behind all sort keys."""

_MARKS_BESIDE: Final = 8
"""Items that are read beside those asked for, so that a mark before them costs no other page."""


@dataclass(frozen=True, slots=True)
class HistoryWritten:
    """What a write did: `rows` are in the table, of which `puts` had to be sent; `dropped` are
    record keys that the newest version of a statement, which this was, does not say any more;
    `unchanged` of pictures, by file key, the rows for which earlier ones stand."""

    rows: int
    puts: int
    dropped: tuple[str, ...] = ()
    unchanged: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What `HistoryStore.read` is to read of one key, newest first."""

    record_key: str
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


class HistoryStore:
    """Records in and out of the history table. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls | None = None) -> None:
        self._settings = settings
        self._table = settings.history_table
        self._calls = calls or DynamoCalls(settings)
        self.statements = StatementIndex(settings, self._calls)
        self.pictures = PictureIndex(settings, self._calls)

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        """Put records (`dataset.record_schema`); those of several files may come together.

        A file of a rewritten data set repeats what earlier versions said: what is stored already is
        read first and only what differs is put, and never over the version of a later hour. What
        files of `stated` (with all their rows in `records`) say no more is closed by marks.
        """
        if dataset.statement is None or not stated:
            return self._put(dataset, records)
        dropped: list[str] = []
        frames = [records.filter(~pl.col(FILE_KEY).is_in(list(stated)))]
        for statement in statements_of(dataset.statement, records, stated):
            timeline = self.statements.state(dataset, statement)
            dropped += timeline.dropped_by(statement.version)
            frames.append(_not_said_later(statement, timeline))
        written = self._put(dataset, pl.concat(frames))
        return HistoryWritten(records.height, written.puts, tuple(dropped))

    def _put(self, dataset: Dataset, records: pl.DataFrame) -> HistoryWritten:
        if records.is_empty():
            return HistoryWritten(0, 0)
        keyed = with_keys(records, self.expiry(dataset))
        keyed = keyed.unique(["pk", "sk"], keep="last", maintain_order=True)
        items = dynamodb_items(keyed)
        if dataset.rewritten:
            puts = self._put_changed(keyed, items)
        else:
            puts = len(items)
            self._calls.put_all(self._table, items)
        return HistoryWritten(records.height, puts)

    def read(
        self,
        dataset: Dataset,
        record_key: str,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = True,
        limit: int | None = None,
        behind: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Records of one key by event time: `since` inclusive, `until` exclusive, both aware.

        Of statements those are left out that a version written before `until` does not say any
        more. Values are str, Decimal or bool, under the record's column names; a null is absent.

        Args:
            behind: only what comes after the record of this place (`place_of`), in the order asked
                for: to read on where another reading stopped.
        """
        if since is not None and until is not None and since >= until:
            return
        if behind is not None and dataset.statement is not None:
            # What closes a record may stand before the place: all of it is read again.
            whole = self.read(dataset, record_key, since, until, newest_first)
            rest = dropwhile(lambda record: place_of(record) != behind, whole)
            yield from islice(rest, 1, None if limit is None else limit + 1)
            return
        expression, values = _key_condition(dataset, record_key, since, until)
        if behind is not None:
            values[":until" if newest_first else ":since"] = {"S": behind}
            values = {":since": {"S": "0"}, ":until": {"S": _LAST}, **values}
            expression = "pk = :pk AND sk BETWEEN :since AND :until"
        query = {
            "TableName": self._table,
            "KeyConditionExpression": expression,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not newest_first,
        }
        what = f"reading history of {record_key}"
        if dataset.statement is None:
            found = self._calls.query(query, what, limit if behind is None else None)
            places = (item for item in found if item["sk"]["S"] != behind)
            yield from map(plain_record, islice(places, limit))
            return
        query["ScanIndexForward"] = False
        if newest_first and limit is not None:
            query["Limit"] = limit + _MARKS_BESIDE
        items = standing(dataset.statement, self._calls.query(query, what))
        ordered = items if newest_first else reversed(list(items))
        yield from map(plain_record, islice(ordered, limit))

    def read_many(
        self, dataset: Dataset, stretches: Sequence[Stretch]
    ) -> list[list[dict[str, Any]]]:
        """What `read` answers for each stretch, in order; the queries go side by side."""
        return self._calls.map(
            lambda part: list(
                self.read(
                    dataset, part.record_key, since=part.since, until=part.until, limit=part.limit
                )
            ),
            stretches,
        )

    def fetch(self, dataset: Dataset, records: pl.DataFrame) -> pl.DataFrame:
        """The stored versions of records, by their keys, typed as `dataset.record_schema`.

        Rows that are not in the table are absent, but those of pictures for which earlier ones
        stand; the order is that of the table's answer.
        """
        if records.is_empty():
            return pl.DataFrame(schema=dataset.record_schema)
        keyed = with_keys(records.select(SOURCE, FEED, RECORD_KEY, EVENT_TIME, FILE_KEY))
        keys = list(dict.fromkeys(keyed.select("pk", "sk").iter_rows()))
        items = self._calls.get_all(self._table, keys)
        stored = typed_frame(dataset, [_texts(item) for item in items])
        return self._with_stood_for(dataset, records, stored) if dataset.pictures else stored

    def stated(self, dataset: Dataset, day: date) -> pl.DataFrame | None:
        """What the newest statements of all scopes of a day say (`dataset.record_schema`); None if
        there is no statement of the day."""
        frames = [records for _, records in self.statements_on(dataset, day)]
        return pl.concat(frames) if frames else None

    def statements_on(self, dataset: Dataset, day: date) -> Iterator[tuple[Version, pl.DataFrame]]:
        """Of every scope of a day the newest version and its records."""
        for _, timeline in self.statements.of_day(dataset, day.isoformat()):
            if timeline.newest is not None:
                keys = [
                    (
                        record_pk(dataset, key),
                        record_sk(iso_text(moment_of(time)), timeline.newest.file_key),
                    )
                    for key, times in timeline.holds().items()
                    for time in times
                ]
                items = self._calls.get_all(self._table, keys) if keys else []
                records = typed_frame(dataset, [_texts(item) for item in items])
                yield timeline.newest, records.sort(ROW)

    def remove(self, dataset: Dataset, records: Iterable[Mapping[str, Any]]) -> None:
        """Take records out, as `read` has them: what never was is no past either. Those that
        another file has written anew meanwhile stay.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached; removing the same again is right.
        """
        removed = list(records)
        if dataset.pictures:
            places = ((record[EVENT_TIME], record[FILE_KEY]) for record in removed)
            self.pictures.forget(dataset, places)
        self._calls.map(lambda record: self._remove(dataset, record), removed)

    def put(self, dataset: Dataset, records: pl.DataFrame) -> int:
        """Put records as they are, whatever is there; how many items that took."""
        return self._put(dataset, records).puts

    def take_out(self, dataset: Dataset, records: pl.DataFrame) -> None:
        """Delete those of the records that are there, and of the same files."""
        keyed = with_keys(records.select(SOURCE, FEED, RECORD_KEY, EVENT_TIME, FILE_KEY))
        files = {(pk, sk): key for pk, sk, key in keyed.select("pk", "sk", FILE_KEY).iter_rows()}
        there = [
            place
            for item in self._calls.get_all(self._table, list(files))
            if item[FILE_KEY]["S"] == files[place := (item["pk"]["S"], item["sk"]["S"])]
        ]
        self._calls.delete_all(self._table, there)

    def expiry(self, dataset: Dataset) -> pl.Expr | None:
        """Of a record the second of the epoch after which it goes; None: all stay."""
        return record_expiry(self._settings, dataset)

    def missing(self, dataset: Dataset, records: pl.DataFrame) -> int:
        """How many of the records are not in the table."""
        return records.height - self.fetch(dataset, records).height

    def close(self) -> None:
        """Give threads and connections back."""
        self._calls.close()

    def _with_stood_for(
        self, dataset: Dataset, records: pl.DataFrame, stored: pl.DataFrame
    ) -> pl.DataFrame:
        """Stored records, and those that say what the stored ones before them say: first by what
        is at hand, then by a query a record."""
        absent = records.join(stored, on=[RECORD_KEY, EVENT_TIME], how="anti")
        at_hand = stood_for(absent, stored)
        absent = absent.join(at_hand, on=[RECORD_KEY, EVENT_TIME], how="anti")
        stretches = [
            Stretch(key, until=time, limit=1)
            for key, time in absent.select(RECORD_KEY, EVENT_TIME).iter_rows()
        ]
        rows = [texts_of(row) for found in self.read_many(dataset, stretches) for row in found]
        asked = stood_for(absent, typed_frame(dataset, rows))
        return pl.concat([stored, at_hand, asked])

    def _remove(self, dataset: Dataset, record: Mapping[str, Any]) -> None:
        file_key = record[FILE_KEY]
        pk, sk = record_pk(dataset, record[RECORD_KEY]), record_sk(record[EVENT_TIME], file_key)
        body = {
            "TableName": self._table,
            "Key": {"pk": {"S": pk}, "sk": {"S": sk}},
            "ConditionExpression": "file_key = :file_key",
            "ExpressionAttributeValues": {":file_key": {"S": file_key}},
        }
        try:
            self._calls.call("DeleteItem", orjson.dumps(body))
        except ConditionFailedError:
            return

    def _put_changed(self, keyed: pl.DataFrame, items: list[str]) -> int:
        keys = list(zip(keyed["pk"].to_list(), keyed["sk"].to_list(), strict=True))
        stored = {
            (item["pk"]["S"], item["sk"]["S"]): item
            for item in self._calls.get_all(self._table, keys)
        }
        changed = [
            (item, file_key)
            for item, key, file_key in zip(items, keys, keyed[FILE_KEY].to_list(), strict=True)
            if _must_put(orjson.loads(item), stored.get(key))
        ]
        self._calls.map(lambda pair: self._put_unless_newer(*pair), changed)
        return len(changed)

    def _put_unless_newer(self, item: str, file_key: str) -> None:
        """Put an item unless a file of a later hour has written it in the meantime."""
        body = {
            "TableName": self._table,
            "Item": orjson.Fragment(item),
            "ConditionExpression": _NOT_NEWER,
            "ExpressionAttributeValues": {
                ":file_key": {"S": file_key},
                ":end": {"S": _end_of_feed(file_key)},
            },
        }
        try:
            self._calls.call("PutItem", orjson.dumps(body))
        except ConditionFailedError:
            return


def _not_said_later(statement: Statement, timeline: Timeline) -> pl.DataFrame:
    """The records of a statement but for those that a later version, whose word is in the table,
    says too: under one key they are one item."""
    later = timeline.said_later(statement.version)
    if not later:
        return statement.records
    times = statement.records[EVENT_TIME].dt.epoch("us")
    keep = [
        time not in later.get(key, ())
        for key, time in zip(statement.records[RECORD_KEY], times, strict=True)
    ]
    return statement.records.filter(pl.Series(keep, dtype=pl.Boolean))


def place_of(record: Mapping[str, Any]) -> str:
    """Where a record stands among those of its key."""
    return record_sk(record[EVENT_TIME], record[FILE_KEY])


def plain_record(item: Any) -> dict[str, Any]:
    """A DynamoDB-JSON item as a plain record, without what is the table's own."""
    return {name: _plain(value) for name, value in item.items() if name not in _OF_THE_TABLE}


def _texts(item: Item) -> dict[str, str]:
    return {name: str(next(iter(value.values()))) for name, value in item.items()}


def _plain(value: dict[str, Any]) -> Any:
    kind, content = next(iter(value.items()))
    if kind == "N":
        return Decimal(content)
    if kind in ("S", "BOOL"):
        return content
    raise StoreRejectedError(f"history holds an attribute of type {kind}, which no writer makes")


def _must_put(item: Item, stored: Item | None) -> bool:
    """Whether an item has to be written: it is not there, or differs and is not older."""
    if stored is None:
        return True
    if _is_newer(stored, item[FILE_KEY]["S"]):
        return False
    return _comparable(item) != _comparable(stored)


def _is_newer(stored: Item, file_key: str) -> bool:
    """Whether an item is of a later file; one without a file key of the data set is damaged."""
    stored_file: str = stored.get(FILE_KEY, {}).get("S", "")
    return file_key < stored_file < _end_of_feed(file_key)


def _end_of_feed(file_key: str) -> str:
    """What sorts behind all keys of the data set that a file belongs to."""
    return f"{file_key.partition('/dt=')[0]}/dt=~"


def _comparable(item: Item) -> dict[str, Any]:
    return {name: Decimal(value["N"]) if "N" in value else value for name, value in item.items()}


def _key_condition(
    dataset: Dataset, record_key: str, since: datetime | None, until: datetime | None
) -> tuple[str, dict[str, Any]]:
    expression = "pk = :pk"
    values: dict[str, Any] = {":pk": {"S": record_pk(dataset, record_key)}}
    if since is not None or until is not None:
        expression += " AND sk BETWEEN :since AND :until"
        # '#' follows the time in a sort key and sorts before any digit, letter or '.': a bare
        # time is smaller than every key of that time, so the upper bound is exclusive.
        values[":since"] = {"S": iso_text(since) if since else "0"}
        values[":until"] = {"S": iso_text(until) if until else _LAST}
    return expression, values
