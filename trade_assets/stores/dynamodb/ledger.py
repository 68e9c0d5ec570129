"""The ingest ledger: one line a file version, in DynamoDB. pk the file's key, sk its ETag.

For every line `rows_in = rows_stored + rows_unchanged + rows_rejected`; a file that cannot be read
has no rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls
from trade_assets.stores.dynamodb.quarantine_index import QuarantineIndex
from trade_assets.stores.expiry import EXPIRES_AT, line_expiry
from trade_assets.stores.serialise import iso_text

GENERATION_KEY: Final = "#generation"
"""pk and sk of the one item that is no file: it names the life of this table."""

ERROR_TEXT_LIMIT: Final = 2000


class FileState(StrEnum):
    """What became of a file version."""

    STORED = "stored"  # every row is in both stores or rejected
    QUARANTINED = "quarantined"  # unreadable as a whole: in quarantine with its reason
    SUPERSEDED = "superseded"  # the key had been rewritten before this version was read
    MISSING = "missing"  # announced, but not in the bucket
    FAILED = "failed"  # an error that may pass; tried again until the queue gives up


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One file version and what became of it. Times are aware and UTC.

    `rows_unchanged` are records of a picture that say what the one before says, which the history
    does not repeat.
    """

    file_key: str
    etag: str
    state: FileState
    rows_in: int
    rows_stored: int
    rows_rejected: int
    landed_at: datetime
    ingested_at: datetime
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None
    error: str | None = None
    run_id: str | None = None
    rows_unchanged: int = 0

    def __post_init__(self) -> None:
        if self.rows_in != self.rows_stored + self.rows_unchanged + self.rows_rejected:
            raise ValueError(
                f"{self.file_key}: {self.rows_in} rows in, but {self.rows_stored} stored, "
                f"{self.rows_unchanged} unchanged and {self.rows_rejected} rejected"
            )


class Ledger:
    """Lines in and out of the ledger table. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls | None = None) -> None:
        self._settings, self._table = settings, settings.ledger_table
        self._calls = calls or DynamoCalls(settings)
        self.quarantine = QuarantineIndex(settings, self._calls)

    def record(self, entries: Sequence[LedgerEntry]) -> None:
        """Write lines; of several for one file version the last one counts.

        A line that says less than a stored file (superseded, missing, failed) never replaces one:
        a notification that comes twice or late must not unsay what is stored.
        """
        by_version = {(entry.file_key, entry.etag): entry for entry in entries}
        final = [e for e in by_version.values() if e.state in _FINAL]
        self._calls.put_all(self._table, [self._item(entry) for entry in final])
        self._calls.map(
            self._record_unless_final, [e for e in by_version.values() if e.state not in _FINAL]
        )

    def known(self, versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FileState]:
        """The states of those file versions (key, ETag) that the ledger has a line for."""
        wanted = list(dict.fromkeys(versions))
        if not wanted:
            return {}
        return {
            (item["pk"]["S"], item["sk"]["S"]): FileState(item["state"]["S"])
            for item in self._calls.get_all(self._table, wanted)
        }

    def rows_kept(self, versions: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """How many rows of those file versions (key, ETag) are records, by the lines that say what
        became of one for good."""
        wanted = list(dict.fromkeys(versions))
        found = self._calls.get_all(self._table, wanted) if wanted else []
        return {
            (item["pk"]["S"], item["sk"]["S"]): int(item["rows_in"]["N"])
            - int(item["rows_rejected"]["N"])
            for item in found
            if FileState(item["state"]["S"]) in _FINAL
        }

    def recount(self, file_key: str, etag: str, rows_stored: int, rows_unchanged: int) -> None:
        """Say anew which records of a stored file the history repeats; a file that has no line yet
        is left to whoever writes it."""
        body = {
            "TableName": self._table,
            "Key": {"pk": {"S": file_key}, "sk": {"S": etag}},
            "UpdateExpression": "SET rows_stored = :stored, rows_unchanged = :unchanged",
            "ConditionExpression": "#state = :kept",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":stored": {"N": str(rows_stored)},
                ":unchanged": {"N": str(rows_unchanged)},
                ":kept": {"S": FileState.STORED.value},
            },
        }
        try:
            self._calls.call("UpdateItem", orjson.dumps(body))
        except ConditionFailedError:
            return

    def entries(self, file_key: str) -> list[Mapping[str, Any]]:
        """All versions of a file, as plain mappings, by ETag."""
        query = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": file_key}},
            "ConsistentRead": True,
        }
        return [
            {name: next(iter(value.values())) for name, value in item.items() if name != EXPIRES_AT}
            for item in self._calls.query(query, f"reading the ledger of {file_key}")
        ]

    def generation(self) -> str | None:
        """Name of the table's life; another one than before means that its lines were lost."""
        found = self._calls.get_all(self._table, [(GENERATION_KEY, GENERATION_KEY)])
        return str(found[0]["generation"]["S"]) if found else None

    def close(self) -> None:
        """Give threads and connections back."""
        self._calls.close()

    def _record_unless_final(self, entry: LedgerEntry) -> None:
        final = {f":{state.name.lower()}": {"S": state.value} for state in _FINAL}
        body = {
            "TableName": self._table,
            "Item": orjson.Fragment(self._item(entry)),
            "ConditionExpression": "attribute_not_exists(pk) OR "
            f"NOT #state IN ({', '.join(final)})",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": final,
        }
        try:
            self._calls.call("PutItem", orjson.dumps(body))
        except ConditionFailedError:
            return

    def _item(self, entry: LedgerEntry) -> str:
        return _item(entry, line_expiry(self._settings, entry.landed_at))


_FINAL: Final = (FileState.STORED, FileState.QUARANTINED)


def _item(entry: LedgerEntry, expires_at: int | None) -> str:
    item: dict[str, dict[str, str]] = {
        "pk": {"S": entry.file_key},
        "sk": {"S": entry.etag},
        "state": {"S": entry.state.value},
        "rows_in": {"N": str(entry.rows_in)},
        "rows_stored": {"N": str(entry.rows_stored)},
        "rows_unchanged": {"N": str(entry.rows_unchanged)},
        "rows_rejected": {"N": str(entry.rows_rejected)},
        "landed_at": {"S": iso_text(entry.landed_at)},
        "ingested_at": {"S": iso_text(entry.ingested_at)},
    }
    for name, moment in (
        ("first_event_time", entry.first_event_time),
        ("last_event_time", entry.last_event_time),
    ):
        if moment is not None:
            item[name] = {"S": iso_text(moment)}
    for name, text in (("error", entry.error), ("run_id", entry.run_id)):
        if text:
            item[name] = {"S": text[:ERROR_TEXT_LIMIT]}
    if expires_at is not None:
        item[EXPIRES_AT] = {"N": str(expires_at)}
    return orjson.dumps(item).decode()
