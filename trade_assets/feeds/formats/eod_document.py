"""The document of an EOD file, flattened: its points and their values in order, as texts.

`{"totals": [{"header": …, "points": [{"header": …, "values": {…}}]}]}`. What is in the wrong place
or of the wrong shape, what stands twice, and what is unknown is found here. No instruments, no
numbers and no records.

A regular document, where every member is known and every value a text, is read at the speed of
`orjson`, which loses members that stand twice and the digits of numbers. Any other one is read
again by `json`, which is several times slower and can keep both.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from trade_assets.datasets.records import MAX_REJECTED_TEXT, RejectedRow
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats.csv_rows import extra_json
from trade_assets.feeds.formats.scenario_files import read_shock, scope_problem
from trade_assets.market.numbers import shown

ROOT: Final = "totals"
LONGEST_EXTRA: Final = 1_000
"""Characters of the longest `extra`: it is repeated on every value. A longer one is left out; its
members are named all the same."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Document:
    """The points of a document and their values, both in document order.

    Attributes:
        scopes, shocks, sizes, extra: of each point, the headers above it, the number of its values,
            and what is unknown about it.
        metrics, values: of each value, its name and its text; "" is missing.
        numbers: of each value, its ordinal number among `metrics` and `rejected`.
        rejected: what is no value, under the next number where it stands.
        unknown: members that are not of the format, e.g. `points.note`.
    """

    scopes: list[str] = field(default_factory=list)
    shocks: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    extra: list[str | None] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    numbers: Sequence[int] = ()
    rejected: list[RejectedRow] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


def read_document(data: bytes, file_name: str) -> Document:
    """Flatten an EOD file.

    Raises:
        UnparsableFileError: it is not JSON, is nested too deeply, or has no list of totals.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        document = _regular(orjson.loads(data), data.count(b":"))
    except orjson.JSONDecodeError:
        document = None
    return document or _Walk().read(_load_all(data, file_name), file_name)


def _regular(root: Any, colons: int) -> Document | None:
    """A document without anything unusual; None where there is, whatever it is.

    Each member has a colon, also one that is unknown, or that `orjson` dropped because it stood
    twice: if there are only as many colons as known members, there is none such.
    """
    if type(root) is not dict or type(root.get(ROOT)) is not list:
        return None
    found, headers = Document(), []
    try:
        for entry in root[ROOT]:
            headers.append(entry["header"])
            _add_points(found, entry["header"], entry["points"])
    except (AttributeError, KeyError, TypeError):
        return None
    found.numbers = range(1, len(found.values) + 1)
    members = 1 + 2 * len(headers) + 2 * len(found.shocks) + len(found.values)
    return found if colons == members and _is_plain(headers, found) else None


def _add_points(found: Document, scope: str, points: list[dict[str, Any]]) -> None:
    if type(points) is not list:
        raise TypeError
    for point in points:
        values = point["values"]
        found.metrics.extend(values)
        found.values.extend(values.values())
        found.shocks.append(point["header"])
        found.sizes.append(len(values))
    found.scopes.extend([scope] * len(points))
    found.extra.extend([None] * len(points))


def _is_plain(headers: list[Any], found: Document) -> bool:
    """Whether every text is one, and every header can be read."""
    types = set().union(*(map(type, texts) for texts in (headers, found.shocks, found.values)))
    return (
        types <= {str}
        and all(map(read_shock, set(found.shocks)))
        and not any(map(scope_problem, headers))
    )


class _Members(list[tuple[str, Any]]):
    """The members of an object as they stand, those that stand twice too."""


def _load_all(data: bytes, file_name: str) -> Any:
    """The document with `_Members` for objects and texts for numbers."""
    try:
        return json.loads(
            data.decode(),
            object_pairs_hook=_members,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
        )
    except RecursionError:
        raise UnparsableFileError(file_name, "it is nested too deeply") from None
    except ValueError as error:
        raise UnparsableFileError(file_name, f"it is not JSON: {error}") from None


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    for text in (text for pair in pairs for text in pair if type(text) is str):
        text.encode()  # half a surrogate pair, which JSON can write, is no text: a ValueError
    return _Members(pairs)


class _Walk:
    """One pass over a document of which nothing is taken for granted."""

    def __init__(self) -> None:
        self._found = Document()
        self._numbers: list[int] = []
        self._unknown: dict[str, None] = {}

    def read(self, root: Any, file_name: str) -> Document:
        """Flatten what `_load_all` returned.

        Raises:
            UnparsableFileError: it has no list of totals.
        """
        try:
            totals = _take(root, ROOT, list, "the document")
        except ValueError as error:
            raise UnparsableFileError(file_name, str(error)) from None
        above = self._strange(root, (ROOT,), "")
        for index, entry in enumerate(totals):
            self._entry(entry, f"{ROOT}[{index}]", above)
        self._found.numbers = self._numbers
        self._found.unknown = tuple(self._unknown)
        return self._found

    def _entry(self, entry: Any, place: str, above: dict[str, str]) -> None:
        try:
            scope = _take(entry, "header", str, place)
            points = _take(entry, "points", list, place)
            if problem := scope_problem(scope):
                raise ValueError(f"{place}.header {shown(scope)} {problem}")
        except ValueError as error:
            self._reject(str(error), _glimpse(entry))
            return
        extra = {**above, **self._strange(entry, ("header", "points"), f"{ROOT}.")}
        for index, point in enumerate(points):
            self._point(scope, point, f"{place}.points[{index}]", extra)

    def _point(self, scope: str, point: Any, place: str, above: dict[str, str]) -> None:
        try:
            shock = _take(point, "header", str, place)
            values = _take(point, "values", _Members, place)
            if read_shock(shock) is None:
                raise ValueError(f"{place}.header {shown(shock)} is not a shock")
        except ValueError as error:
            self._reject(str(error), _glimpse(point))
            return
        before = len(self._numbers)
        for metric, value in values:
            self._value(metric, value, place)
        extra = extra_json({**above, **self._strange(point, ("header", "values"), "points.")})
        self._found.scopes.append(scope)
        self._found.shocks.append(shock)
        self._found.sizes.append(len(self._numbers) - before)
        self._found.extra.append(extra if len(extra or "") <= LONGEST_EXTRA else None)

    def _value(self, metric: str, value: Any, place: str) -> None:
        text = "" if value is None else value
        if type(text) is not str:
            reason = f"{place}.values {shown(metric)} is {_kind(value)}, not a text or a number"
            self._reject(reason, _glimpse(value))
            return
        self._numbers.append(self._next_number())
        self._found.metrics.append(metric)
        self._found.values.append(text)

    def _strange(self, members: _Members, known: tuple[str, ...], path: str) -> dict[str, str]:
        """The members that are not of the format: all are named, those with one value kept."""
        unknown = {f"{path}{name}": value for name, value in members if name not in known}
        self._unknown.update(dict.fromkeys(unknown))
        return {name: text for name, value in unknown.items() if (text := _scalar(value))}

    def _reject(self, reason: str, text: str) -> None:
        row = RejectedRow(self._next_number(), reason, text[:MAX_REJECTED_TEXT])
        self._found.rejected.append(row)

    def _next_number(self) -> int:
        return len(self._numbers) + len(self._found.rejected) + 1


_KINDS: Final = {
    _Members: "an object",
    list: "a list",
    str: "a text or a number",
    bool: "true or false",
    type(None): "null",
}


def _kind(thing: Any) -> str:
    return _KINDS[type(thing)]


def _glimpse(thing: Any) -> str:
    return shown(thing) if type(thing) is str else _kind(thing)


def _scalar(value: Any) -> str:
    if type(value) is bool:
        return str(value).lower()
    return value if type(value) is str else ""


def _take(thing: Any, name: str, kind: type, place: str) -> Any:
    """The member of a name and kind; a ValueError says what is wrong with it."""
    if type(thing) is not _Members:
        raise ValueError(f"{place} is {_kind(thing)}, not an object")
    found = [value for key, value in thing if key == name]
    if not found:
        raise ValueError(f"{place} has no {name}")
    if len(found) > 1:
        raise ValueError(f"{place} has {name} twice")
    if type(found[0]) is not kind:
        raise ValueError(f"{place}.{name} is {_kind(found[0])}, not {_KINDS[kind]}")
    return found[0]
