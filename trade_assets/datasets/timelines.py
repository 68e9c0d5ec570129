"""What the versions of a statement said one after the other, and the marks that close what one of
them dropped. Pure; the same versions make the same timeline in whatever order they come.

A mark stands among the records of its key, at the time when the version that dropped them was
written: whoever reads the key backwards from a moment meets the marks that were known by then
before the records that they close.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from trade_assets.datasets.statements import Said, Statement, Version

Times = tuple[int, ...]
"""Event times, microseconds of the epoch, sorted."""

_Change = tuple[Version, Times]
"""From this version on a key has these event times; none: it is not said any more."""


@dataclass(frozen=True, slots=True)
class Mark:
    """From `at` on (microseconds of the epoch) of a scope's records with one key only those at the
    event times `stand` hold. `file_name` is that of the version that says so."""

    at: int
    file_name: str
    stand: Times


Marks = dict[str, dict[tuple[int, str], Mark]]
"""By record key, then by place: the mark's time and file name."""


@dataclass
class Timeline:
    """All versions of one scope, oldest first, and by record key what changed with which."""

    versions: list[Version] = field(default_factory=list)
    changes: dict[str, list[_Change]] = field(default_factory=dict)

    @property
    def newest(self) -> Version | None:
        """The last version, whose word holds."""
        return self.versions[-1] if self.versions else None

    def holds(self) -> Said:
        """What the newest version says."""
        return {key: at[-1][1] for key, at in self.changes.items() if at[-1][1]}

    def dropped_by(self, version: Version) -> list[str]:
        """Record keys that this version, if it is the newest, does not say any more."""
        if self.newest is None or self.newest.order != version.order:
            return []
        return [
            key
            for key, changes in self.changes.items()
            if changes[-1][0].order == version.order and not changes[-1][1]
        ]

    def said_later(self, version: Version) -> dict[str, set[int]]:
        """What versions behind this one say: event times by record key. None, mostly."""
        if self.newest is None or self.newest.order <= version.order:
            return {}
        later: dict[str, set[int]] = {}
        for key, changes in self.changes.items():
            at_or_before = [times for known, times in changes if known.order <= version.order]
            behind = [times for known, times in changes if known.order > version.order]
            # What holds at the version still does at the next, unless that one changes it.
            following = self.versions[self._place(version)[0] + 1].order
            if at_or_before and not any(known.order == following for known, _ in changes):
                behind.append(at_or_before[-1])
            later[key] = {time for times in behind for time in times}
        return later

    def state(self, statement: Statement) -> Marks:
        """Take in a version, again or for the first time; of the record keys whose changes differ
        from before, the marks that they had.

        Two versions of one second are one here, of which the word that comes last holds: who writes
        an older one finds out, and writes the current one again (`ingest.rewrites`).
        """
        version = statement.version
        place, known = self._place(version)
        later = self.versions[place + 1] if place + 1 < len(self.versions) else None
        had: Marks = {}
        for key in {**self.changes, **statement.said}:
            before = self.changes.get(key, [])
            after = _with(before, version, statement.said.get(key, ()), known, later)
            if after != before:
                had[key] = _marks(before)
                self._set(key, after)
        return had

    def marks(self, keys: Iterable[str]) -> Marks:
        """The marks of record keys; a key without any has none."""
        return {key: _marks(self.changes.get(key, [])) for key in keys}

    def _place(self, version: Version) -> tuple[int, bool]:
        """Where a version stands, and whether it did so before."""
        place = bisect_left(self.versions, version.order, key=lambda known: known.order)
        if place < len(self.versions) and self.versions[place].order == version.order:
            return place, True
        self.versions.insert(place, version)
        return place, False

    def _set(self, key: str, changes: list[_Change]) -> None:
        if changes:
            self.changes[key] = changes
        else:
            self.changes.pop(key, None)


def packed(timeline: Timeline) -> bytes:
    """A timeline as bytes, as `unpacked` reads them."""
    numbers = {version.order: number for number, version in enumerate(timeline.versions)}
    content = {
        "versions": [
            (version.edition, version.hour, version.stated_at, version.file_key)
            for version in timeline.versions
        ],
        "changes": {
            key: [(numbers[version.order], times) for version, times in changes]
            for key, changes in timeline.changes.items()
        },
    }
    return zlib.compress(orjson.dumps(content), 1)


def unpacked(data: bytes) -> Timeline:
    """The timeline of bytes of `packed`."""
    content: Mapping[str, Any] = orjson.loads(zlib.decompress(data))
    versions = [Version(*parts) for parts in content["versions"]]
    changes = {
        key: [(versions[number], tuple(times)) for number, times in listed]
        for key, listed in content["changes"].items()
    }
    return Timeline(versions, changes)


def _with(
    changes: Sequence[_Change], version: Version, times: Times, known: bool, later: Version | None
) -> list[_Change]:
    """Changes of a key when `version` says `times` of it; what the versions before and behind it
    say stays. What a `known` one said otherwise before is a change in front of its own."""
    result = [change for change in changes if change[0].order < version.order]
    if known:
        at = [said for change, said in changes if change.order == version.order]
        unsaid = {time for said in at or [_last(result)] for time in said}.difference(times)
        meanwhile = tuple(sorted(unsaid.union(times)))
        if unsaid and meanwhile != _last(result):
            result.append((version, meanwhile))
    if times != _last(result):
        result.append((version, times))
    if later is not None:
        then = _last([change for change in changes if change[0].order <= later.order])
        if then != times:
            result.append((later, then))
        result += [change for change in changes if change[0].order > later.order]
    return result


def _last(changes: Sequence[_Change]) -> Times:
    return changes[-1][1] if changes else ()


def _marks(changes: Sequence[_Change]) -> dict[tuple[int, str], Mark]:
    """The first one where something is dropped; from there on every change, so that the last
    known mark alone says what holds."""
    marks: dict[tuple[int, str], Mark] = {}
    floor, dropped = 0, False
    for at, (version, times) in enumerate(changes):
        # Behind whatever it closes, also where a clock was ahead: no record ends before it is.
        floor = max([floor, *(time + 1 for time in times)])
        dropped = dropped or (at > 0 and _drops(changes[at - 1], version, times))
        goes_on = at + 1 < len(changes) and changes[at + 1][0].order == version.order
        if goes_on or not dropped:
            continue
        moment = max(version.stated_at, floor)
        marks[moment, version.file_name] = Mark(moment, version.file_name, times)
        floor = moment + 1
    return marks


def _drops(before: _Change, version: Version, times: Times) -> bool:
    """Whether event times are not said any more; a later edition says a key anew, at a time of its
    own, and then the earlier one's is the past and no mistake."""
    if times and version.edition > before[0].edition:
        return False
    return not set(before[1]) <= set(times)
