"""The slot log: why half minutes have no whole snapshot, in DynamoDB, beside the lines of files.

pk `slots#tt#<environment>`, sk the first slot; slots in a row with one reason are one item. What a
slot has is in the bucket; only what it lacks is written here.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import ConditionFailedError, DynamoCalls

REASON_LIMIT: Final = 2000
"""Longest reason that is kept, in characters."""

_SLOT_TEXT: Final = "%Y-%m-%dT%H:%M:%SZ"


class SlotState(StrEnum):
    """Why a slot has no whole snapshot."""

    MISSED = "missed"  # nobody asked in time
    SKIPPED = "skipped"  # left out on purpose, e.g. for a newer one
    FAILED = "failed"  # asked, and nothing of it could be kept
    PARTIAL = "partial"  # some kinds are there, others are not
    NOT_WANTED = "not_wanted"  # nobody looked for slots yet: it was never due


@dataclass(frozen=True, slots=True)
class SlotNote:
    """Slots that were not taken whole, and why.

    Attributes:
        first: the first of them (UTC).
        last: the last of them, inclusive; `first` where it is one.
        state: what became of them.
        reason: in words for people; no secret.
        kinds: reasons of single kinds, by kind.
        run_id: the Dagster run that says so; empty where none does.
    """

    first: datetime
    last: datetime
    state: SlotState
    reason: str
    kinds: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""


def never_due(notes: Iterable[SlotNote], slot: datetime) -> bool:
    """Whether notes say of a slot that nobody wanted it, and nothing else."""
    states = {note.state for note in notes if note.first <= slot <= note.last}
    return states == {SlotState.NOT_WANTED}


class SlotLog:
    """Notes in and out of the ledger's table. Thread-safe."""

    def __init__(self, settings: Settings, calls: DynamoCalls | None = None) -> None:
        self._table = settings.ledger_table
        self._pk = f"slots#tt#{settings.tt.environment.value}"
        self._calls = calls or DynamoCalls(settings)

    def note(self, note: SlotNote) -> None:
        """Write a note; of several with the same first slot the last one counts, but one that says
        why a slot is not whole is never replaced by one that it was not wanted.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached; noting the same again is right.
        """
        body: dict[str, Any] = {"TableName": self._table, "Item": self._item(note)}
        if note.state is SlotState.NOT_WANTED:
            body["ConditionExpression"] = "attribute_not_exists(pk)"
        with suppress(ConditionFailedError):
            self._calls.call("PutItem", orjson.dumps(body))

    def withdraw(self, slot: datetime) -> None:
        """Take back the note of this slot alone: it is whole after all.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        text = _slot_text(slot)
        body = {
            "TableName": self._table,
            "Key": {"pk": {"S": self._pk}, "sk": {"S": text}},
            "ConditionExpression": "#last = :last",
            "ExpressionAttributeNames": {"#last": "last"},
            "ExpressionAttributeValues": {":last": {"S": text}},
        }
        try:
            self._calls.call("DeleteItem", orjson.dumps(body))
        except ConditionFailedError:
            return

    def notes(self, since: datetime, until: datetime) -> list[SlotNote]:
        """Notes about slots from `since` (inclusive) to `until` (exclusive), oldest first.

        Raises:
            StoreUnavailableError: DynamoDB cannot be reached.
        """
        if since >= until:
            return []
        # A note that begins before may reach into it; notes do not overlap, so one can.
        before = self._query("#first < :since", {":since": since}, newest_first=True, limit=1)
        # BETWEEN includes its upper bound, `until` does not.
        bounds = {":since": since, ":until": until}
        between = self._query("#first BETWEEN :since AND :until", bounds)
        return [note for note in before if note.last >= since] + [
            note for note in between if note.first < until
        ]

    def _query(
        self,
        condition: str,
        bounds: Mapping[str, datetime],
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[SlotNote]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": f"pk = :pk AND {condition}",
            "ExpressionAttributeNames": {"#first": "sk"},
            "ExpressionAttributeValues": {
                ":pk": {"S": self._pk},
                **{name: {"S": _slot_text(bound)} for name, bound in bounds.items()},
            },
            "ScanIndexForward": not newest_first,
            "ConsistentRead": True,
        }
        return [_note(item) for item in self._calls.query(query, "reading the log of slots", limit)]

    def _item(self, note: SlotNote) -> dict[str, dict[str, Any]]:
        item: dict[str, dict[str, Any]] = {
            "pk": {"S": self._pk},
            "sk": {"S": _slot_text(note.first)},
            "last": {"S": _slot_text(note.last)},
            "state": {"S": note.state.value},
            "reason": {"S": note.reason[:REASON_LIMIT]},
        }
        if note.kinds:
            item["kinds"] = {
                "M": {kind: {"S": text[:REASON_LIMIT]} for kind, text in note.kinds.items()}
            }
        if note.run_id:
            item["run_id"] = {"S": note.run_id}
        return item


def _note(item: Mapping[str, Any]) -> SlotNote:
    kinds = item.get("kinds", {}).get("M", {})
    return SlotNote(
        first=_slot(item["sk"]["S"]),
        last=_slot(item["last"]["S"]),
        state=SlotState(item["state"]["S"]),
        reason=item["reason"]["S"],
        kinds={kind: text["S"] for kind, text in sorted(kinds.items())},
        run_id=item.get("run_id", {}).get("S", ""),
    )


def _slot_text(slot: datetime) -> str:
    return slot.astimezone(UTC).strftime(_SLOT_TEXT)


def _slot(text: str) -> datetime:
    return datetime.strptime(text, _SLOT_TEXT).replace(tzinfo=UTC)
