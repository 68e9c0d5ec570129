"""Statements in the history table: the timeline of each scope, and the marks that close records.

A scope's timeline is one item, pk `#statement#<source>/<name>#<day>`, sk the scope's name, replaced
under a condition on its revision; what is too long for one item goes on in others, pk
`#statement#…#parts`. A mark stands among the records of its key, sk `<time>#<file name>#gone`.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import orjson

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import FILE_KEY, TRADING_DATE
from trade_assets.datasets.statements import (
    Scope,
    Statement,
    StatementRule,
    moment_of,
    name_of,
    scope_of_record,
)
from trade_assets.datasets.timelines import Mark, Marks, Timeline, packed, unpacked
from trade_assets.errors import StoreUnavailableError
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls, Item
from trade_assets.stores.expiry import EXPIRES_AT, mark_expiry
from trade_assets.stores.serialise import iso_text

GONE_SUFFIX: Final = "#gone"
"""Ends the sort key of a mark; no file name of a record's sort key ends so."""

_PART_BYTES: Final = 250_000
"""Of a timeline in one item; DynamoDB's limit is 400 KB, and base64 adds a third on the way."""

_ROUNDS: Final = 50
"""Tries to replace a timeline that other writers replace at the same time."""


class StatementIndex:
    """Timelines and marks in and out of the history table. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls) -> None:
        self._settings = settings
        self._table = settings.history_table
        self._calls = calls

    def state(self, dataset: Dataset, statement: Statement) -> Timeline:
        """Take a version into its scope's timeline, which is returned, and set the marks of what
        it, or the version behind it, dropped.

        The marks come first: who is killed in between and begins anew sets them again.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached, or others never let us through.
        """
        set_before: dict[str, set[str]] = {}
        for _ in range(_ROUNDS):
            timeline, revision, parts = self._read(dataset, statement.scope)
            had = timeline.state(statement)
            marks = timeline.marks(had.keys() | set_before.keys())
            self._set_marks(dataset, statement.scope, marks, had, set_before)
            if self._replace(dataset, statement.scope, timeline, revision, parts):
                return timeline
        raise StoreUnavailableError(
            f"{dataset.path}: the timeline of {statement.scope.day} {statement.scope.name} is "
            "replaced by others faster than it can be read"
        )

    def of_day(self, dataset: Dataset, day: str) -> list[tuple[Scope, Timeline]]:
        """The timelines of all scopes of a day."""
        query = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": _pk(dataset, day)}},
            "ConsistentRead": True,
        }
        found = []
        for item in self._calls.query(query, f"reading the statements of {dataset.path} {day}"):
            scope = Scope(day, item["sk"]["S"])
            found.append((scope, self._timeline(dataset, scope, item)))
        return found

    def _read(self, dataset: Dataset, scope: Scope) -> tuple[Timeline, int, int]:
        items = self._calls.get_all(self._table, [(_pk(dataset, scope.day), scope.name)])
        if not items:
            return Timeline(), 0, 0
        item = items[0]
        timeline = self._timeline(dataset, scope, item)
        return timeline, int(item["revision"]["N"]), int(item["parts"]["N"])

    def _timeline(self, dataset: Dataset, scope: Scope, item: Item) -> Timeline:
        first = base64.b64decode(item["timeline"]["B"])
        keys = _part_keys(dataset, scope, int(item["revision"]["N"]), int(item["parts"]["N"]))
        parts = {
            part["sk"]["S"]: base64.b64decode(part["timeline"]["B"])
            for part in (self._calls.get_all(self._table, keys) if keys else [])
        }
        if len(parts) < len(keys):
            raise StoreUnavailableError(
                f"{dataset.path}: the timeline of {scope.day} {scope.name} is being replaced"
            )
        return unpacked(first + b"".join(parts[sk] for _, sk in keys))

    def _replace(
        self, dataset: Dataset, scope: Scope, timeline: Timeline, revision: int, parts: int
    ) -> bool:
        """Put a timeline in the place of that of a revision (0: of none); False if it is gone."""
        data = packed(timeline)
        chunks = [data[at : at + _PART_BYTES] for at in range(0, len(data), _PART_BYTES)]
        newest = timeline.newest
        expires = self._expires(dataset, newest.stated_at if newest else 0)
        keys = _part_keys(dataset, scope, revision + 1, len(chunks) - 1)
        self._calls.put_all(
            self._table,
            [_item(pk, sk, timeline=_binary(chunk), **expires)
             for (pk, sk), chunk in zip(keys, chunks[1:], strict=True)],
        )  # fmt: skip
        item = _item(
            _pk(dataset, scope.day),
            scope.name,
            revision={"N": str(revision + 1)},
            parts={"N": str(len(chunks) - 1)},
            timeline=_binary(chunks[0]),
            **expires,
        )
        condition = {
            "ConditionExpression": "attribute_not_exists(pk) OR revision = :revision",
            "ExpressionAttributeValues": {":revision": {"N": str(revision)}},
        }
        body = {"TableName": self._table, "Item": orjson.Fragment(item), **condition}
        try:
            self._calls.call("PutItem", orjson.dumps(body))
        except ConditionFailedError:
            return False
        self._calls.delete_all(self._table, _part_keys(dataset, scope, revision, parts))
        return True

    def _set_marks(
        self,
        dataset: Dataset,
        scope: Scope,
        marks: Marks,
        had: Marks,
        set_before: dict[str, set[str]],
    ) -> None:
        """Make the marks of record keys these. `set_before` collects, by record key, the sort keys
        that this writer has set, so that another round can take them back."""
        puts, deletes = [], []
        for key, wanted in marks.items():
            pk = record_pk(dataset, key)
            kept = {_mark_sk(mark): mark for mark in wanted.values()}
            earlier = {_mark_sk(mark) for mark in had.get(key, {}).values()}
            puts += [
                _item(pk, sk, **_mark_attributes(scope, mark), **self._expires(dataset, mark.at))
                for sk, mark in kept.items()
            ]
            deletes += [(pk, sk) for sk in (earlier | set_before.get(key, set())) - kept.keys()]
            set_before.setdefault(key, set()).update(kept)
        self._calls.put_all(self._table, puts)
        self._calls.delete_all(self._table, deletes)

    def _expires(self, dataset: Dataset, at: int) -> dict[str, dict[str, str]]:
        second = mark_expiry(self._settings, dataset, moment_of(at))
        return {} if second is None else {EXPIRES_AT: {"N": str(second)}}


def standing(rule: StatementRule, newest_first: Iterable[Item]) -> Iterator[Item]:
    """Of a key's items, newest first, the records that no mark closes."""
    closed: dict[Scope, set[str]] = {}
    for item in newest_first:
        if is_mark(item):
            scope = Scope(item["scope_day"]["S"], item["scope_name"]["S"])
            closed.setdefault(scope, set(orjson.loads(item["stand"]["S"])))
            continue
        scope_of_item = scope_of_record(
            rule, item[FILE_KEY]["S"], item.get(TRADING_DATE, {}).get("S")
        )
        if scope_of_item not in closed or item["event_time"]["S"] in closed[scope_of_item]:
            yield item


def is_mark(item: Item) -> bool:
    """Whether an item of the history closes records, and is none."""
    return str(item["sk"]["S"]).endswith(GONE_SUFFIX)


def record_pk(dataset: Dataset, record_key: str) -> str:
    """Partition key of a record's history."""
    return f"{dataset.source}#{dataset.name}#{record_key}"


def record_sk(event_time: str, file_key: str) -> str:
    """Sort key of a record in its history; the time is the text of `iso_text`."""
    return f"{event_time}#{name_of(file_key)}"


def _pk(dataset: Dataset, day: str) -> str:
    return f"#statement#{dataset.path}#{day}"


def _part_keys(
    dataset: Dataset, scope: Scope, revision: int, parts: int
) -> Sequence[tuple[str, str]]:
    pk = f"{_pk(dataset, scope.day)}#parts"
    return [(pk, f"{scope.name}#{revision}#{number}") for number in range(1, parts + 1)]


def _mark_sk(mark: Mark) -> str:
    return f"{iso_text(moment_of(mark.at))}#{mark.file_name}{GONE_SUFFIX}"


def _mark_attributes(scope: Scope, mark: Mark) -> dict[str, dict[str, str]]:
    stand = [iso_text(moment_of(time)) for time in mark.stand]
    return {
        "scope_day": {"S": scope.day},
        "scope_name": {"S": scope.name},
        "stand": {"S": orjson.dumps(stand).decode()},
    }


def _binary(data: bytes) -> dict[str, str]:
    return {"B": base64.b64encode(data).decode()}


def _item(pk: str, sk: str, **attributes: dict[str, str]) -> str:
    return orjson.dumps({"pk": {"S": pk}, "sk": {"S": sk}, **attributes}).decode()
