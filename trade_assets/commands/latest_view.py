"""What `latest` selects, and the forms of showing it; following changes is `latest_watch`."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol, Self

from rich.console import Console, RenderableType
from rich.live import Live

from trade_assets.commands.records import Record, json_array, json_text, typed_record
from trade_assets.commands.tables import latest_table
from trade_assets.feeds.base import EVENT_TIME, RECORD_KEY, Dataset
from trade_assets.stores.latest import LatestStore

TABLE_RECORDS: Final = 40
"""Records of a table, where no limit is asked for."""
LINES_AROUND: Final = 8
"""Lines of a terminal that head, headers and notes may take."""


@dataclass(frozen=True, slots=True)
class Selected:
    """Records that were selected, `matching` before the limit, and keys that have no record."""

    records: list[Record]
    matching: int
    missing: list[str]


class Selection:
    """Which records of a feed are asked for."""

    def __init__(
        self,
        store: LatestStore,
        feed: Dataset,
        keys: Sequence[str] = (),
        like: str | None = None,
        limit: int | None = None,
    ) -> None:
        self.feed = feed
        self.limit = limit
        self._store = store
        self._keys = tuple(dict.fromkeys(keys))
        self._like = (like or "").lower()

    def read(self, limit: int | None) -> Selected:
        """The newest records: keys in the order asked, else newest first and then by key."""
        wanted = self._keys or self._store.record_keys(self.feed)
        records = self._records(key for key in wanted if self._is_like(key))
        if not self._keys:
            records.sort(key=lambda record: str(record[RECORD_KEY]))
            records.sort(key=lambda record: str(record[EVENT_TIME]), reverse=True)
        there = {record[RECORD_KEY] for record in records}
        missing = [k for k in self._keys if self._is_like(k) and k not in there]
        return Selected(records[:limit], len(records), missing)

    def changed(self, record_keys: Iterable[str]) -> list[Record]:
        """The newest records of those keys that are asked for."""
        return self._records(
            key for key in record_keys if self._is_like(key) and key in (self._keys or (key,))
        )

    def _records(self, record_keys: Iterable[str]) -> list[Record]:
        return [typed_record(self.feed, r) for r in self._store.read(self.feed, record_keys)]

    def _is_like(self, key: str) -> bool:
        return self._like in key.lower()


class View(Protocol):
    """A way of showing a selection."""

    def show_all(self, *, as_one: bool) -> list[str]:
        """Show what is there now; returns the keys that have no record.

        `as_one` says that nothing follows.
        """

    def show_changed(self, record_keys: Collection[str]) -> None:
        """Show what has become of keys; without any, that time has passed."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class JsonLinesView:
    """JSON on standard output: one array, or a record a line where changes follow."""

    def __init__(self, selection: Selection, columns: Sequence[str] | None) -> None:
        self._selection = selection
        self._columns = columns

    def show_all(self, *, as_one: bool) -> list[str]:
        """Write what is there now."""
        selected = self._selection.read(self._selection.limit)
        if as_one:
            sys.stdout.writelines(json_array(selected.records, self._columns))
        else:
            self._write(selected.records)
        return selected.missing

    def show_changed(self, record_keys: Collection[str]) -> None:
        """Write what changed."""
        self._write(self._selection.changed(record_keys))

    def _write(self, records: Iterable[Record]) -> None:
        sys.stdout.writelines(f"{json_text(record, self._columns)}\n" for record in records)
        sys.stdout.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class TableView:
    """Tables, one below the other."""

    def __init__(
        self, selection: Selection, columns: Sequence[str] | None, console: Console
    ) -> None:
        self._selection = selection
        self._columns = columns
        self._console = console

    def show_all(self, *, as_one: bool) -> list[str]:
        """Print what is there now."""
        table, missing = self._table_of_all(self._selection.limit or TABLE_RECORDS)
        self._console.print(table)
        return missing

    def show_changed(self, record_keys: Collection[str]) -> None:
        """Print what changed."""
        records = self._selection.changed(record_keys)[: self._selection.limit]
        if records:
            self._console.print(self._table(records))

    def _table_of_all(self, limit: int) -> tuple[RenderableType, list[str]]:
        selected = self._selection.read(limit)
        shown, matching = len(selected.records), selected.matching
        notes = [f"{shown:,} of {matching:,} records: --limit shows more"]
        return self._table(selected.records, notes if shown < matching else []), selected.missing

    def _table(self, records: Sequence[Record], notes: Sequence[str] = ()) -> RenderableType:
        none = [] if records else ["no record"]
        return latest_table(
            self._selection.feed,
            records,
            self._columns,
            now=datetime.now(UTC),
            width=self._console.width,
            notes=[*notes, *none],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class LiveView(TableView):
    """One table that shows what is there now."""

    def __init__(
        self, selection: Selection, columns: Sequence[str] | None, console: Console
    ) -> None:
        super().__init__(selection, columns, console)
        self._live = Live(console=console, auto_refresh=False)

    def show_all(self, *, as_one: bool) -> list[str]:
        """Put what is there now into the place of what was shown before."""
        fitting = max(1, self._console.height - LINES_AROUND)
        table, missing = self._table_of_all(self._selection.limit or fitting)
        self._live.update(table, refresh=True)
        return missing

    def show_changed(self, record_keys: Collection[str]) -> None:
        """Show all of it again: ages grow also where nothing changed."""
        self.show_all(as_one=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()
