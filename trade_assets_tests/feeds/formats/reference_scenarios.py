"""The plain reader of the PnL grid and the EOD file: see `reference`."""

import json
import re
from decimal import Decimal
from typing import Any, NamedTuple

from trade_assets_tests.feeds.formats.reference import data_lines, fields, header

SHOCK = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?)%?")
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,5})?|")
"""Numbers, and nothing, that no reader has a reason to refuse."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffd]")


class Point(NamedTuple):
    """One point, all texts as the file writes them."""

    scope: str
    metric: str
    shock: str
    value: str
    underlying_price: str | None = None

    @property
    def key(self) -> str:
        """The record key in a file of `XCME.ZN`."""
        return f"XCME.ZN:{self.scope}:{self.metric}:{self.shock}"

    @property
    def record(self) -> dict[str, object]:
        """The columns of the record."""
        record: dict[str, object] = {
            "record_key": self.key,
            "underlying": "XCME.ZN",
            "scope": self.scope,
            "metric": self.metric,
            "shock_kind": "relative" if self.shock[-1] == "%" else "absolute",
            "shock": optional(self.shock.rstrip("%")),
            "value": optional(self.value),
        }
        if self.underlying_price is not None:
            record["underlying_price"] = optional(self.underlying_price)
        return record

    @property
    def is_plain(self) -> bool:
        """Whether there is no reason at all to reject it."""
        return (
            all(text.isascii() and text.isprintable() for text in self[:3])
            and all(self[:3])
            and ":" not in self.scope
            and len(self.key) <= 500
            and all(PLAIN_NUMBER.fullmatch(text or "") for text in self[3:])
        )


def optional(text: str) -> float | None:
    """A number that may be missing; one zero."""
    return float(Decimal(text)) + 0.0 if text else None


def is_shock(text: str) -> bool:
    """Whether it is a number that reads back, with or without the sign of percent."""
    match = SHOCK.fullmatch(text)
    if not match:
        return False
    exact, value = Decimal(match[1]), float(match[1])
    if exact and not 1e-129 <= abs(value) < 1e125:
        return False
    digits = len(exact.as_tuple().digits)
    return digits <= 15 or exact in (Decimal(repr(value)), Decimal(f"{value:.17g}"))


def grid_points(data: bytes) -> dict[int, list[Point] | None]:
    """The points of each line of a grid; None for a line that cannot be split."""
    names = header(data)
    shocks = [name for name in names if is_shock(name)]
    found: dict[int, list[Point] | None] = {}
    for at, line in data_lines(data, None).items():
        surplus = line.split(",")[len(names) :]
        if line.count(",") + 1 < len(names) or any(surplus) or UNREADABLE.search(line):
            found[at] = None
            continue
        row = fields(names, line)
        found[at] = [
            Point(row["Expiration"], row["Value"], shock, row[shock], row["UPrice"])
            for shock in shocks
        ]
    return found


class Members(list[Any]):
    """An object's members, in order, doubles too."""


def eod_points(data: bytes) -> list[Point | None]:
    """The values of an EOD file in order; None for what is in the place of one, or of many."""
    text = data.decode().removeprefix("\ufeff")
    root = json.loads(
        text, object_pairs_hook=Members, parse_float=str, parse_int=str, parse_constant=str
    )
    found: list[Point | None] = []
    for entry in only(root, "totals"):
        scope, points = only(entry, "header"), only(entry, "points")
        if not is_name(scope) or ":" in scope or type(points) is not list:
            found.append(None)
            continue
        for point in points:
            found += _values(scope, only(point, "header"), only(point, "values"))
    return found


def _values(scope: str, shock: object, values: object) -> list[Point | None]:
    if type(shock) is not str or not is_shock(shock) or type(values) is not Members:
        return [None]
    texts = [(metric, "" if value is None else value) for metric, value in values]
    return [
        Point(scope, metric, shock, text) if type(text) is str else None for metric, text in texts
    ]


def only(thing: object, name: str) -> Any:
    """The one member of a name, or None."""
    found = [value for key, value in thing if key == name] if type(thing) is Members else []
    return found[0] if len(found) == 1 else None


def is_name(text: object) -> bool:
    """Whether it is a text that can name something."""
    return type(text) is str and bool(text) and not CONTROL.search(text)
