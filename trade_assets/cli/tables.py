"""Tables for people: of records (which columns, how wide, how aligned), and of the status.

Texts come from `shown_values`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from trade_assets.cli.shown_values import (
    age_text,
    both_zones,
    central_text,
    counted,
    number_text,
    read_moment,
    seconds_since,
    shortened,
)
from trade_assets.datasets.column_names import EVENT_TIME, RECORD_KEY
from trade_assets.datasets.described import ColumnKind, Described
from trade_assets.market.zones import CENTRAL
from trade_assets.monitor.freshness import Freshness
from trade_assets.readers.typed_records import Record, Value

ANY_WIDTH: Final = 10_000
"""Width of what is no terminal: whatever reads it can cut for itself."""
FRESHNESS_STYLES: Final = {
    Freshness.OK: "green",
    Freshness.STALE: "red",
    Freshness.EMPTY: "yellow",
    Freshness.AHEAD: "red",
    Freshness.UNKNOWN: "red",
}
UNKNOWN: Final = "unknown"
GAP: Final = 2
"""Blanks between columns: one of the box, the others are padding."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of texts. `name` is what options call it; None for one that is made up here."""

    header: str
    cells: Sequence[str]
    is_number: bool = False
    name: str | None = None

    @property
    def width(self) -> int:
        """Characters that its cells and the pieces of its header take."""
        return max(map(len, (*self.cells, *_pieces(self.header))), default=0)


def make_console(*, wide: bool = False) -> Console:
    """Standard output: as wide as the terminal, or without a limit where there is none, or none is
    wanted."""
    console = Console(highlight=False)
    if wide or not console.is_terminal:
        console = Console(highlight=False, width=ANY_WIDTH)
    return console


def status_table(*headers: str) -> Table:
    """An empty table of the status; cells are to be `Text`, so that nothing is read as markup."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for header in headers:
        table.add_column(header, overflow="fold")
    return table


def line(what: str, text: str) -> Text:
    """A line of the status; what it is about stands in front."""
    return Text.assemble((f"{what:<12}", "bold"), text)


def latest_table(
    feed: Described,
    records: Sequence[Record],
    columns: Sequence[str] | None,
    *,
    now: datetime,
    width: int,
    notes: Sequence[str] = (),
    picture_time: datetime | None = None,
) -> RenderableType:
    """Newest records, one a line, with the age of each.

    Above them the time of the picture that all of them are of, or else the newest event time.
    """
    moments = [read_moment(record[EVENT_TIME]) for record in records]
    newest = max((moment for moment in moments if moment), default=None)
    what, when = "newest event", newest
    if picture_time is not None:
        what, when = "whole set of", picture_time
    age = age_text(seconds_since(when, now))
    head = f"{feed.path} · {what} {both_zones(when)}" + (f" · {age} ago" if age else "")
    keys = [_cell(record[RECORD_KEY]) for record in records]
    short = width < ANY_WIDTH and RECORD_KEY in feed.ids
    first = [Column(RECORD_KEY, shortened(keys) if short else keys)]
    last = [
        _central(moments),
        Column("age", [age_text(seconds_since(m, now)) for m in moments], is_number=True),
    ]
    return _fitted(feed, records, columns, first, last, [head], width, notes)


def history_table(
    feed: Described,
    record_key: str,
    records: Sequence[Record],
    columns: Sequence[str] | None,
    *,
    width: int,
    notes: Sequence[str] = (),
) -> RenderableType:
    """Records of one key, one a line, by the time they were true."""
    moments = [read_moment(record[EVENT_TIME]) for record in records]
    head = [f"{feed.path} · {record_key} · {counted(len(records), 'record')}"]
    if records:
        bounds = dict.fromkeys(both_zones(moment) for moment in (moments[0], moments[-1]))
        head.append("  to  ".join(bounds))
    return _fitted(feed, records, columns, [_central(moments)], [], head, width, notes)


def _fitted(
    feed: Described,
    records: Sequence[Record],
    columns: Sequence[str] | None,
    first: list[Column],
    last: list[Column],
    head: Sequence[str],
    width: int,
    notes: Sequence[str],
) -> RenderableType:
    """Head, table and notes; of the feed's own columns those that have values and fit."""
    room = width - sum(column.width + GAP for column in (*first, *last))
    own, hidden = _chosen(feed, records, columns, room, short=width < ANY_WIDTH)
    lines = list(notes)
    if hidden:
        lines.append(f"no room for {', '.join(hidden)}: --wide, --columns or --json shows them")
    parts: list[RenderableType] = [Text(line, style="bold") for line in head]
    if records:
        parts.append(_table([*first, *own, *last]))
    return Group(*parts, *(Text(line, style="dim") for line in lines))


def _chosen(
    feed: Described,
    records: Sequence[Record],
    columns: Sequence[str] | None,
    room: int,
    *,
    short: bool,
) -> tuple[list[Column], list[str]]:
    """The columns to show, and the names of those that there is no room for: the most important
    ones get room first.

    Those that were asked for are all shown, and their ids are whole.
    """
    if columns is not None:
        asked = [name for name in columns if name not in (RECORD_KEY, EVENT_TIME)]
        return [_column(feed, records, name) for name in asked], []
    shown: list[Column] = []
    hidden: list[str] = []
    for name in feed.columns:
        if all(record[name] is None for record in records):
            continue
        column = _column(feed, records, name, short=short)
        if column.width + GAP > room:
            hidden.append(name)
        else:
            shown.append(column)
            room -= column.width + GAP
    return shown, hidden


def _column(
    feed: Described, records: Sequence[Record], name: str, *, short: bool = False
) -> Column:
    cells = [_cell(record[name]) for record in records]
    if short and name in feed.ids:
        cells = shortened(cells)
    return Column(name, cells, feed.column_kinds[name] is ColumnKind.NUMBER, name)


def _central(moments: Sequence[datetime | None]) -> Column:
    """Times in US Central, without a date where it is the same everywhere (the head has it)."""
    days = {moment.astimezone(CENTRAL).date() for moment in moments if moment}
    cells = [central_text(moment, with_date=len(days) > 1) for moment in moments]
    return Column("US Central", cells)


def _table(columns: Sequence[Column]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, GAP - 1, 0, 0))
    for column in columns:
        header = Text(_wrapped(column.header, column.width))
        justify = "right" if column.is_number else "left"
        table.add_column(header, justify=justify, overflow="fold", min_width=1)  # type: ignore[arg-type]
    for row in zip(*(column.cells for column in columns), strict=True):
        # Texts, so that no file's content is read as markup.
        table.add_row(*(Text(cell) for cell in row))
    return table


def _pieces(header: str) -> list[str]:
    """Where a header may be broken: behind its underscores."""
    parts = header.split("_")
    return [f"{part}_" for part in parts[:-1]] + parts[-1:]


def _wrapped(header: str, width: int) -> str:
    lines = [""]
    for piece in _pieces(header):
        if lines[-1] and len(lines[-1]) + len(piece) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(lines)


def _cell(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return number_text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
