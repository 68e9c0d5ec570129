"""What a stream run tells Dagster: figures gathered per feed and hour between two reports.

Each event costs 9 ms of event log, so lineage may lag by the report interval; data may not.
"""

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.ingest.quality import (
    QuoteFindings,
    SymbolFindings,
    find_bad_quotes,
    find_symbols,
    schema_problems,
)
from trade_assets.ingest.reading import FileResult, event_time_bounds
from trade_assets.stores.dynamodb.ledger import FileState


@dataclass
class Figures:
    """What figures of any data set and landing hour have."""

    dataset: Dataset
    partition: str
    history_puts: int = 0
    latest_changed: int = 0
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None
    sample: pl.DataFrame | None = None

    def span(self, first: datetime | None, last: datetime | None) -> None:
        """Take in the first and last event time of more records; None: there were none."""
        if first is not None and last is not None:
            self.first_event_time = min(self.first_event_time or first, first)
            self.last_event_time = max(self.last_event_time or last, last)


@dataclass
class HourFigures(Figures):
    """Figures of one feed and landing hour. Lags are seconds from landing to readable in Redis."""

    dataset: Feed
    files: int = 0
    size: int = 0
    rows_in: int = 0
    rows_stored: int = 0
    rows_rejected: int = 0
    duplicates: int = 0
    quarantined: int = 0
    lags: list[float] = field(default_factory=list)
    quotes: QuoteFindings = field(default_factory=QuoteFindings)
    symbols: SymbolFindings = field(default_factory=SymbolFindings)
    schema_problems: list[str] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    last_file: str = ""

    @property
    def lag_p50(self) -> float | None:
        """Median lag in seconds."""
        return statistics.median(self.lags) if self.lags else None

    @property
    def lag_max(self) -> float | None:
        """Greatest lag in seconds."""
        return max(self.lags, default=None)

    def add(self, result: FileResult, lag_seconds: float | None) -> None:
        """Count a file that is through."""
        self.files += 1
        self.size += result.size
        self.rows_stored += result.rows_stored
        self.rows_rejected += len(result.rejected)
        self.duplicates += sum(row.duplicate for row in result.rejected)
        self.rows_in += result.rows_stored + len(result.rejected)
        self.last_file = max(self.last_file, result.version.key)
        if lag_seconds is not None:
            self.lags.append(lag_seconds)
        self.unknown_columns = sorted({*self.unknown_columns, *result.unknown_columns})
        if result.state is FileState.QUARANTINED:
            self.quarantined += 1
        self.span(result.first_event_time, result.last_event_time)
        if result.records is not None and not result.records.is_empty():
            self._add_records(result.records)

    def _add_records(self, records: pl.DataFrame) -> None:
        self.sample = records
        self.symbols.add(find_symbols(records))
        self.quotes.add(find_bad_quotes(self.dataset, records))
        for problem in schema_problems(self.dataset, records):
            if problem not in self.schema_problems:
                self.schema_problems.append(problem)


@dataclass(frozen=True, slots=True)
class DerivedWritten:
    """What deriving came to: the records, and what they changed in the two stores."""

    records: pl.DataFrame
    latest_changed: int
    history_puts: int


@dataclass
class DerivedFigures(Figures):
    """Figures of one derived data set and landing hour of its origin.

    `details` are those that the data set itself has: its counts are sums, others are those of the
    newest records. `failures` are reasons why records could not be derived, a sentence each.
    """

    dataset: Derived
    rows: int = 0
    details: dict[str, float | int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, records: pl.DataFrame) -> None:
        """Count records that were derived."""
        self.rows += records.height
        if records.is_empty():
            return
        self.span(*event_time_bounds(records))
        self.sample = records
        for name, value in self.dataset.figures(records).items():
            is_count = isinstance(value, int)
            self.details[name] = self.details.get(name, 0) + value if is_count else value

    def fail(self, reason: str) -> None:
        """Note a reason, once."""
        if reason not in self.failures:
            self.failures.append(reason)


AnyFigures = HourFigures | DerivedFigures


class Reports:
    """Gathers figures from the consumer's threads until the run reports them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures: dict[tuple[str, str], HourFigures] = {}
        self._derived: dict[tuple[str, str], DerivedFigures] = {}
        self.files_total = 0

    def add(
        self,
        feed: Feed,
        results: Sequence[tuple[FileResult, float | None]],
        history_puts: int = 0,
        latest_changed: int = 0,
    ) -> None:
        """Count files of a feed that are through, each with its lag."""
        with self._lock:
            self.files_total += len(results)
            figures: HourFigures | None = None
            for result, lag in results:
                if result.feed_key is None:
                    continue
                partition = result.feed_key.partition
                figures = self._figures.setdefault(
                    (feed.path, partition), HourFigures(feed, partition)
                )
                figures.add(result, lag)
            if figures is not None:
                figures.history_puts += history_puts
                figures.latest_changed += latest_changed

    def add_derived(
        self, dataset: Derived, partition: str, written: DerivedWritten | None, failure: str = ""
    ) -> None:
        """Count derived records, or why there are none."""
        with self._lock:
            figures = self._derived.setdefault(
                (dataset.path, partition), DerivedFigures(dataset, partition)
            )
            if written is None:
                figures.fail(failure)
                return
            figures.add(written.records)
            figures.history_puts += written.history_puts
            figures.latest_changed += written.latest_changed

    def take(self) -> list[AnyFigures]:
        """All figures since the last call."""
        with self._lock:
            figures: list[AnyFigures] = [*self._figures.values(), *self._derived.values()]
            self._figures, self._derived = {}, {}
        return figures
