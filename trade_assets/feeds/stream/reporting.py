"""What is told of a micro-batch that is through: figures for the reports, lines for the log."""

from trade_assets.feeds.stream.micro_batch import Work
from trade_assets.ingest.figures import Reports
from trade_assets.ingest.reading import FileResult
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState

log = get_logger(__name__)


def tell(work: Work, reports: Reports) -> None:
    """Count the files of a micro-batch, and log them."""
    groups: dict[str, list[FileResult]] = {}
    for result in work.results.values():
        if result.feed_key is not None and result.state is not FileState.FAILED:
            groups.setdefault(result.feed_key.feed.path, []).append(result)
    for path, results in groups.items():
        _tell_feed(work, reports, path, results)
    for result in work.results.values():
        if result.state is not FileState.STORED or result.is_damaged:
            _warn(result)


def _tell_feed(work: Work, reports: Reports, path: str, results: list[FileResult]) -> None:
    feed_key = results[0].feed_key
    assert feed_key is not None
    reports.add(
        feed_key.feed,
        [(result, work.lags.get(result.version.key)) for result in results],
        history_puts=work.puts.get(path, 0),
        latest_changed=work.changed.get(path, 0),
    )
    lags = [work.lags.get(result.version.key, 0.0) for result in results]
    log.info(
        "stored",
        feed=path,
        files=len(results),
        file=results[-1].version.key,
        rows=sum(result.rows_stored for result in results),
        lag_seconds=round(max(lags), 4),
    )


def _warn(result: FileResult) -> None:
    log.warning(
        "file not stored whole",
        feed=result.feed_key.feed.path if result.feed_key else None,
        file=result.version.key,
        state=result.state.value,
        rejected=len(result.rejected),
        error=result.error,
    )
