"""The forms in which `latest` shows its selection; following changes is `latest_watch`."""

import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol, Self

from rich.console import Console, RenderableType

from trade_assets.cli.tables import latest_table
from trade_assets.datasets.column_names import RECORD_KEY
from trade_assets.readers.latest_selection import Selection
from trade_assets.readers.typed_records import Record, json_array, json_text

TABLE_RECORDS: Final = 40
"""Records of a table, where no limit is asked for."""
GONE: Final = "gone"
"""Says in JSON that a record is not in the set any more."""
LINES_AROUND: Final = 8
"""Lines of a terminal that head, headers and notes may take."""


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
        """Write what changed, and what is gone: `{"record_key": …, "gone": true}`."""
        changed = self._selection.changed(record_keys)
        self._write(changed.records)
        if self._selection.feed.replaced:
            gone: list[Record] = [{RECORD_KEY: key, GONE: True} for key in changed.gone]
            sys.stdout.writelines(f"{json_text(record)}\n" for record in gone)
            sys.stdout.flush()

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
        """Print what changed; of a set that is replaced as a whole, all of it."""
        if self._selection.feed.replaced:
            if record_keys:
                self.show_all(as_one=False)
            return
        records = self._selection.changed(record_keys).records[: self._selection.limit]
        if records:
            self._console.print(self._table(records))

    def _table_of_all(self, limit: int) -> tuple[RenderableType, list[str]]:
        selected = self._selection.read(limit)
        shown, matching = len(selected.records), selected.matching
        notes = [f"{shown:,} of {matching:,} records: --limit shows more"]
        notes = notes if shown < matching else []
        return self._table(selected.records, notes, selected.picture_time), selected.missing

    def _table(
        self,
        records: Sequence[Record],
        notes: Sequence[str] = (),
        picture_time: datetime | None = None,
    ) -> RenderableType:
        none = [] if records else ["no record"]
        return latest_table(
            self._selection.feed,
            records,
            self._columns,
            now=datetime.now(UTC),
            width=self._console.width,
            notes=[*notes, *none],
            picture_time=picture_time,
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
        # Only where changes are followed: importing it takes a while.
        from rich.live import Live

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
