"""The stream run: one long op per window that consumes the queue and reports into the assets."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import LAYERS, STORED_LAYERS
from trade_assets.defs.feeds.arrival_checks import arrival_outcomes
from trade_assets.defs.feeds.book_beats import BookBeats, has_ended
from trade_assets.defs.feeds.checks import write_check_outcomes
from trade_assets.defs.feeds.derived_checks import derived_outcome
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import (
    HISTORY_IO,
    LATEST_IO,
    PRIORITY_TAG,
    RUN_KIND_TAG,
    STREAM_JOB,
    STREAM_RUNS,
    STREAM_STORES,
)
from trade_assets.errors import TradeAssetsError
from trade_assets.feeds.derivation import DerivedFigures
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.hour_rows import HourRows
from trade_assets.feeds.stream.consumer import StreamConsumer
from trade_assets.feeds.stream.heartbeats import SureHeartbeats
from trade_assets.feeds.stream.reporting import StreamFigures, StreamReports
from trade_assets.feeds.stream.window import StreamWindow
from trade_assets.io_managers.metadata import figures_metadata
from trade_assets.logs import configure_run, get_logger

log = get_logger(__name__)


@dg.op(
    required_resource_keys={STREAM_STORES, LATEST_IO, HISTORY_IO},
    out=dg.Out(dg.Nothing),
    description="Consumes bucket notifications for one window; writes through the IO managers.",
)
def consume_window(context: dg.OpExecutionContext) -> Iterator[object]:
    """Consume until the window is over, and report what came in.

    A generator: Dagster stores what it yields at once, and `log_event` at the next yield.
    """
    stores: FeedStores = context.resources.stream_stores
    run_id = context.run_id
    configure_run(stores.settings, run_id)
    reports, counter = StreamReports(), HourRows(stores)
    consumer = StreamConsumer(
        stores.settings,
        stores,
        context.resources.latest_io_manager.over(stores),
        context.resources.history_io_manager.over(stores),
        reports,
        run_id,
    )
    beats = SureHeartbeats(stores.heartbeats, BookBeats(context.instance))
    window = StreamWindow(stores.settings, consumer, beats, reports, run_id)
    log.info("window begins", seconds=stores.settings.stream.window_seconds)
    with closing(window.run()) as batches:
        for batch in batches:
            for figures in batch:
                yield from _events(context, figures, stores, counter)
            if has_ended(context.instance, run_id):
                # Somebody took it for dead: another run consumes, and there must not be two.
                raise dg.Failure("this run has ended by Dagster's books", allow_retries=False)
    log.info("window ends", files=reports.files_total)
    yield dg.Output(None)


def _events(
    context: dg.OpExecutionContext, figures: StreamFigures, stores: FeedStores, counter: HourRows
) -> Iterator[dg.AssetMaterialization]:
    # Checks first: `log_event` is stored at the next yield, and a check of this run counts for
    # the run's materialisations. One row a run and check, updated: no growth.
    try:
        for outcome in _outcomes(figures, stores):
            context.log_event(outcome.as_evaluation())  # type: ignore[arg-type]
    except TradeAssetsError as error:
        # A check that cannot look says so and does not end the stream.
        log.warning("checks not evaluated", dataset=figures.dataset.path, error=str(error))
    _count(figures, counter)
    for layer in _layers(figures):
        yield dg.AssetMaterialization(
            asset_key=layer_key(figures.dataset, layer),
            partition=figures.partition,
            metadata=dict(figures_metadata(figures, layer)),
        )


def _count(figures: StreamFigures, counter: HourRows) -> None:
    """Count the hour so far; a derived one has no count that a rerun shares, which derives from
    every file and not from the newest picture of each micro-batch."""
    if isinstance(figures, DerivedFigures) or not isinstance(figures.dataset, Feed):
        return
    own = [(key, etag, rows) for key, (etag, rows) in figures.stored.items()]
    try:
        figures.hour_rows = counter.total(figures.dataset, figures.partition, own)
    except TradeAssetsError as error:
        log.warning("hour not counted", dataset=figures.dataset.path, error=str(error))


def _layers(figures: StreamFigures) -> tuple[str, ...]:
    """The layers that were written."""
    if isinstance(figures, DerivedFigures):
        return STORED_LAYERS if figures.rows else ()
    return LAYERS


def _outcomes(figures: StreamFigures, stores: FeedStores) -> Iterator[CheckOutcome]:
    if isinstance(figures, DerivedFigures):
        yield derived_outcome(figures)
        return
    yield from write_check_outcomes(figures, stores)
    yield from arrival_outcomes(stores, figures.dataset)


@dg.job(
    name=STREAM_JOB,
    executor_def=dg.in_process_executor,
    tags={RUN_KIND_TAG: STREAM_RUNS, PRIORITY_TAG: "10"},
    description="One window of the feeds' stream; the bucket sensor keeps exactly one alive.",
)
def feed_stream() -> None:
    """The stream run."""
    consume_window()
