"""Figures of what was ingested, by data set and landing hour: what Dagster is told of it."""

import statistics
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import polars as pl

from trade_assets.datasets.dataset import Dataset, ParsedDataset
from trade_assets.datasets.keys import HISTORY, LATEST, PARTITION_FORMAT, hour_of_key
from trade_assets.ingest.quality import (
    QuoteFindings,
    SymbolFindings,
    TickFindings,
    find_bad_quotes,
    find_off_ticks,
    find_symbols,
    schema_problems,
)
from trade_assets.ingest.reading import FileResult
from trade_assets.stores.dynamodb.ledger import FileState


@dataclass
class Figures:
    """What figures of any data set and landing hour have.

    Attributes:
        history_puts: items put into the history; `rows_unchanged` records of which it has an
            earlier one that says the same; `latest_changed` records that replaced what Redis
            had, `gone` those of a replaced set that its newest picture lacks and Redis had.
        sample: some of the records.
        hour_rows: rows of all of the hour so far; None: they are not counted here.
    """

    dataset: Dataset
    partition: str
    history_puts: int = 0
    rows_unchanged: int = 0
    latest_changed: int = 0
    gone: int = 0
    first_event_time: datetime | None = None
    last_event_time: datetime | None = None
    sample: pl.DataFrame | None = None
    hour_rows: int | None = None

    def span(self, first: datetime | None, last: datetime | None) -> None:
        """Take in the first and last event time of more records; None: there were none."""
        if first is not None and last is not None:
            self.first_event_time = min(self.first_event_time or first, first)
            self.last_event_time = max(self.last_event_time or last, last)

    def described(self, layer: str) -> dict[str, Any]:
        """Names and plain values for the materialisation of one layer (`datasets.keys`)."""
        if layer == LATEST:
            gone = {"records_gone": self.gone} if self.dataset.replaced else {}
            return {"records_changed": self.latest_changed, **gone}
        if layer == HISTORY:
            same = {"rows_unchanged": self.rows_unchanged} if self.dataset.pictures else {}
            return {"items_put": self.history_puts, **same}
        return {}


@dataclass
class FileFigures(Figures):
    """Figures of the files of one data set. Lags are seconds from landing to readable in Redis; a
    rerun has none.

    Attributes:
        files: how many there are; `size` their bytes, `quarantined` how many cannot be read.
        rows_in: rows of them: `rows_stored` are records, `rows_rejected` are not; `duplicates` are
            those rejected rows that another row says anew.
        last_file: key of the newest file.
        stored: ETag and rows of every file, by its key.
    """

    NOUN: ClassVar[str] = "files"
    """What the files are called in `described`."""

    dataset: ParsedDataset
    files: int = 0
    size: int = 0
    rows_in: int = 0
    rows_stored: int = 0
    rows_rejected: int = 0
    duplicates: int = 0
    quarantined: int = 0
    lags: list[float] = field(default_factory=list)
    quotes: QuoteFindings = field(default_factory=QuoteFindings)
    ticks: TickFindings = field(default_factory=TickFindings)
    symbols: SymbolFindings = field(default_factory=SymbolFindings)
    schema_problems: list[str] = field(default_factory=list)
    unknown_columns: list[str] = field(default_factory=list)
    last_file: str = ""
    stored: dict[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def lag_p50(self) -> float | None:
        """Median lag in seconds."""
        return statistics.median(self.lags) if self.lags else None

    @property
    def lag_max(self) -> float | None:
        """Greatest lag in seconds."""
        return max(self.lags, default=None)

    def add(self, result: FileResult, lag_seconds: float | None = None) -> None:
        """Count a file that is through."""
        self.files += 1
        self.size += result.size
        self.rows_stored += result.rows_stored
        self.rows_unchanged += result.rows_unchanged
        self.rows_rejected += len(result.rejected)
        self.duplicates += sum(row.duplicate for row in result.rejected)
        self.rows_in += result.rows_stored + len(result.rejected)
        self.last_file = max(self.last_file, result.version.key)
        self.stored[result.version.key] = result.version.etag, result.rows_stored
        if lag_seconds is not None:
            self.lags.append(lag_seconds)
        self.unknown_columns = sorted({*self.unknown_columns, *result.unknown_columns})
        if result.state is FileState.QUARANTINED:
            self.quarantined += 1
        self.span(result.first_event_time, result.last_event_time)
        if result.records is not None and not result.records.is_empty():
            self._add_records(result.records)

    def rows_by_partition(self) -> dict[str, int]:
        """Rows of the files by the hour that their keys name."""
        rows: Counter[str] = Counter()
        for key, (_, count) in self.stored.items():
            hour = hour_of_key(key)
            if hour is not None:
                rows[hour.strftime(PARTITION_FORMAT)] += count
        return dict(rows)

    def described(self, layer: str) -> dict[str, Any]:
        """As `Figures.described`; of the layer of the files themselves also what they are."""
        described: dict[str, Any] = {
            self.NOUN: self.files,
            "rows": self.rows_stored,
            "rejects": self.rows_rejected,
            "duplicates": self.duplicates,
        }
        if self.symbols.coverage_percent is not None:
            described["symbols_translated_percent"] = round(self.symbols.coverage_percent, 3)
        if self.unknown_columns:
            described["unknown_columns"] = self.unknown_columns
        if self.lag_p50 is not None and self.lag_max is not None:
            described["lag_p50_seconds"] = round(self.lag_p50, 4)
            described["lag_max_seconds"] = round(self.lag_max, 4)
        if layer in (LATEST, HISTORY):
            return described | super().described(layer)
        return described | {
            "bytes": self.size,
            f"{self.NOUN}_quarantined": self.quarantined,
            "last_file": self.last_file,
        }

    def _add_records(self, records: pl.DataFrame) -> None:
        self.sample = records
        self.symbols.add(find_symbols(records))
        self.quotes.add(find_bad_quotes(self.dataset, records))
        self.ticks.add(find_off_ticks(self.dataset, records))
        for problem in schema_problems(self.dataset, records):
            if problem not in self.schema_problems:
                self.schema_problems.append(problem)
