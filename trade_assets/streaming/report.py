"""What a stream run tells Dagster: figures gathered per feed and hour between two reports.

Each event costs 9 ms of event log, so lineage may lag by the report interval; data may not.
"""

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from trade_assets.feeds.base import Feed
from trade_assets.stores.ledger import FileState
from trade_assets.streaming.ingest import FileResult
from trade_assets.streaming.quality import QuoteFindings, find_bad_quotes, schema_problems


@dataclass
class HourFigures:
    """Figures of one feed and landing hour. Lags are seconds from landing to readable in Redis."""

    feed: Feed
    partition: str
    files: int = 0
    size: int = 0
    rows_in: int = 0
    rows_stored: int = 0
    rows_rejected: int = 0
    history_puts: int = 0
    latest_changed: int = 0
    quarantined: int = 0
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None
    lags: list[float] = field(default_factory=list)
    sample: pl.DataFrame | None = None
    quotes: QuoteFindings = field(default_factory=QuoteFindings)
    schema_problems: list[str] = field(default_factory=list)
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
        self.rows_in += result.rows_stored + len(result.rejected)
        self.last_file = max(self.last_file, result.version.key)
        if lag_seconds is not None:
            self.lags.append(lag_seconds)
        if result.state is FileState.QUARANTINED:
            self.quarantined += 1
        first, last = result.first_event_time, result.last_event_time
        if first is not None and last is not None:
            self.first_event_time = min(self.first_event_time or first, first)
            self.last_event_time = max(self.last_event_time or last, last)
        if result.records is not None and not result.records.is_empty():
            self._add_records(result.records)

    def _add_records(self, records: pl.DataFrame) -> None:
        self.sample = records
        self.quotes.add(find_bad_quotes(self.feed, records))
        for problem in schema_problems(self.feed, records):
            if problem not in self.schema_problems:
                self.schema_problems.append(problem)


class Reports:
    """Gathers figures from the consumer's threads until the run reports them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures: dict[tuple[str, str], HourFigures] = {}
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

    def take(self) -> list[HourFigures]:
        """All figures since the last call."""
        with self._lock:
            figures, self._figures = list(self._figures.values()), {}
        return figures
