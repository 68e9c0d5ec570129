"""What is remembered of the slots between two looks: bounded, and kept as JSON in Dagster's cursor.

No rule belongs here: what becomes of a slot is decided in `schedule`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, Self

import orjson

from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.slot_log import SlotNote, SlotState

RANGES_KEPT: Final = 16
NOTES_KEPT: Final = 100

Range = tuple[datetime, datetime]
"""First and last slot of a stretch, both inclusive."""


@dataclass
class SlotRanges:
    """A set of slots in a bounded number of stretches.

    Beyond `RANGES_KEPT` two that are near to each other become one, with what is between them: for
    requested slots that errs on the side of not asking twice. They are two of the past, so that
    slots to come stay out, also where a clock that was ahead has left a stretch behind them.
    """

    ranges: list[Range] = field(default_factory=list)

    def __contains__(self, slot: datetime) -> bool:
        return any(first <= slot <= last for first, last in self.ranges)

    def add(self, slot: datetime) -> None:
        """Take in one more slot."""
        merged: list[Range] = []
        for first, last in sorted([*self.ranges, (slot, slot)]):
            if merged and first <= merged[-1][1] + SLOT:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        if len(merged) > RANGES_KEPT:
            at = _nearest([part for part in merged if part[1] < slot])
            at = _nearest(merged) if at is None else at
            assert at is not None
            merged[at : at + 2] = [(merged[at][0], merged[at + 1][1])]
        self.ranges = merged

    def outside(self, first: datetime, last: datetime) -> Iterator[Range]:
        """The stretches of first to last (inclusive) that are not in the set, in order."""
        for taken_first, taken_last in self.ranges:
            if taken_last < first or taken_first > last:
                continue
            if first < taken_first:
                yield first, taken_first - SLOT
            first = taken_last + SLOT
        if first <= last:
            yield first, last


@dataclass
class SlotCursor:
    """The slots as they were left.

    Attributes:
        first: the first slot that was ever looked at.
        last: all slots up to this one are decided.
        pending: the slot that waits for the run of an earlier one to end.
        blocker: that run, for people.
        requested: slots for which a run was requested.
        seen: when an unfinished run was first seen, by its id.
        notes: what the slot log does not have yet, oldest first.
    """

    first: datetime | None = None
    last: datetime | None = None
    pending: datetime | None = None
    blocker: str = ""
    requested: SlotRanges = field(default_factory=SlotRanges)
    seen: dict[str, datetime] = field(default_factory=dict)
    notes: list[SlotNote] = field(default_factory=list)

    @classmethod
    def from_json(cls, text: str | None) -> Self:
        """A stored cursor; a new one where there is none."""
        stored: dict[str, Any] = orjson.loads(text) if text else {}
        return cls(
            first=_moment(stored.get("first")),
            last=_moment(stored.get("last")),
            pending=_moment(stored.get("pending")),
            blocker=stored.get("blocker", ""),
            requested=SlotRanges(
                [(_time(first), _time(last)) for first, last in stored.get("requested", [])]
            ),
            seen={run_id: _time(text) for run_id, text in stored.get("seen", {}).items()},
            notes=[_note(item) for item in stored.get("notes", [])],
        )

    def to_json(self) -> str:
        """For storage; bounded however long the daemon runs."""
        fields = {
            "first": self.first,
            "last": self.last,
            "pending": self.pending,
            "blocker": self.blocker,
            "requested": self.requested.ranges,
            "seen": self.seen,
            "notes": folded(self.notes),
        }
        return orjson.dumps(fields).decode()

    def rest(self) -> None:
        """Look at no slot until further notice: the next look is like the first one."""
        self.first = self.last = self.pending = None

    def copy(self) -> Self:
        """One that can be changed without changing this one."""
        return self.from_json(self.to_json())


def _nearest(ranges: list[Range]) -> int | None:
    """Where the two neighbours stand that are nearest to each other; None: there are no two."""
    gaps = [after[0] - before[1] for before, after in pairwise(ranges)]
    return gaps.index(min(gaps)) if gaps else None


def folded(notes: list[SlotNote]) -> list[SlotNote]:
    """At most `NOTES_KEPT` notes: the oldest of them become one that says so."""
    surplus = len(notes) - NOTES_KEPT
    if surplus <= 0:
        return notes
    old = notes[: surplus + 1]
    one = SlotNote(
        first=min(note.first for note in old),
        last=max(note.last for note in old),
        state=old[-1].state,
        reason=f"{len(old)} notes in one, the slot log was away; the last: {old[-1].reason}",
        kinds={},
        run_id="",
    )
    return [one, *notes[surplus + 1 :]]


def _note(stored: dict[str, Any]) -> SlotNote:
    return SlotNote(
        first=_time(stored["first"]),
        last=_time(stored["last"]),
        state=SlotState(stored["state"]),
        reason=stored["reason"],
        kinds=stored["kinds"],
        run_id=stored["run_id"],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
