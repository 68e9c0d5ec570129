"""What a stream run tells Dagster and the log: figures by data set and hour between two reports.

Each event costs 9 ms of event log, so lineage may lag by the report interval; data may not.
"""

import threading
from collections.abc import Sequence

from trade_assets.datasets.dataset import ParsedDataset
from trade_assets.feeds.derivation import DerivedFigures, DerivedWritten
from trade_assets.feeds.derived.declarations import Derived
from trade_assets.feeds.stream.micro_batch import MicroBatch
from trade_assets.ingest.figures import FileFigures
from trade_assets.ingest.reading import FileResult
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState

log = get_logger(__name__)

StreamFigures = FileFigures | DerivedFigures


class StreamReports:
    """Gathers figures from the consumer's threads until the run reports them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[tuple[str, str], FileFigures] = {}
        self._derived: dict[tuple[str, str], DerivedFigures] = {}
        self.files_total = 0

    def add(
        self,
        dataset: ParsedDataset,
        results: Sequence[tuple[FileResult, float | None]],
        history_puts: int = 0,
        latest_changed: int = 0,
    ) -> None:
        """Count files of a feed that are through, each with its lag."""
        with self._lock:
            self.files_total += len(results)
            figures: FileFigures | None = None
            for result, lag in results:
                key = dataset.path, result.partition
                figures = self._files.setdefault(key, FileFigures(dataset, result.partition))
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

    def take(self) -> list[StreamFigures]:
        """All figures since the last call."""
        with self._lock:
            figures: list[StreamFigures] = [*self._files.values(), *self._derived.values()]
            self._files, self._derived = {}, {}
        return figures


def report_batch(batch: MicroBatch, reports: StreamReports) -> None:
    """Count the files of a micro-batch that are through, and log them."""
    groups: dict[str, list[FileResult]] = {}
    through = [result for key, result in batch.results.items() if not batch.is_owed(key)]
    for result in through:
        if result.dataset is not None and result.state is not FileState.FAILED:
            groups.setdefault(result.dataset.path, []).append(result)
    for results in groups.values():
        _report_feed(batch, reports, results)
    for result in through:
        if result.state is not FileState.STORED or result.is_damaged:
            _warn(result)


def _report_feed(batch: MicroBatch, reports: StreamReports, results: list[FileResult]) -> None:
    dataset = results[0].dataset
    assert dataset is not None
    reports.add(
        dataset,
        [(result, batch.lags.get(result.version.key)) for result in results],
        history_puts=batch.puts[dataset.path],
        latest_changed=batch.changed[dataset.path],
    )
    lags = [batch.lags.get(result.version.key, 0.0) for result in results]
    log.info(
        "stored",
        feed=dataset.path,
        files=len(results),
        file=results[-1].version.key,
        rows=sum(result.rows_stored for result in results),
        lag_seconds=round(max(lags), 4),
    )


def _warn(result: FileResult) -> None:
    log.warning(
        "file not stored whole",
        feed=result.dataset.path if result.dataset else None,
        file=result.version.key,
        state=result.state.value,
        rejected=len(result.rejected),
        error=result.error,
    )
