"""The window of a stream run: its end, its successor, its heartbeat, and what it reports."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.stream import window
from trade_assets.feeds.stream.consumer import StreamConsumer
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.feeds.stream.owed import OwedFiles
from trade_assets.feeds.stream.reporting import StreamFigures, StreamReports
from trade_assets.feeds.stream.window import StreamWindow
from trade_assets.ingest.figures import FileFigures
from trade_assets.ingest.writing import HistoryWriter
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.harness import AwayWriter, drained, kept, states, stored
from trade_assets_tests.stores.samples import HOUR, spot_bytes, spot_key
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

RUN = "run-1"


class Run:
    """A window at work in a thread, as a stream run's op drives it."""

    def __init__(self, stores: Stores, history: HistoryWriter | None = None) -> None:
        reports = StreamReports()
        settings = stores.settings
        consumer = StreamConsumer(
            settings, stores, stores.latest, history or kept(stores), reports, RUN
        )
        self.window = StreamWindow(settings, consumer, stores.heartbeats, reports, RUN)
        self.figures: list[StreamFigures] = []
        self.reports = 0
        self.error: Exception | None = None
        self.thread = threading.Thread(target=self._drive)
        self.abort = threading.Event()

    def _drive(self) -> None:
        batches = self.window.run()
        assert isinstance(batches, Generator)
        try:
            for figures in batches:
                self.figures.extend(figures)
                self.reports += 1
                if self.abort.is_set():
                    batches.close()  # what Dagster does to the op's generator
        except Exception as error:
            self.error = error

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return not self.thread.is_alive()


@contextmanager
def running(stores: Stores, history: HistoryWriter | None = None) -> Iterator[Run]:
    """A window at work; at the end it is aborted."""
    run = Run(stores, history)
    run.thread.start()
    try:
        yield run
    finally:
        run.abort.set()
        run.thread.join()


@pytest.fixture
def short(quick: Settings) -> Iterator[Stores]:
    """Stores under settings with a window that is over at once."""
    with Stores(quick.changed({"window_seconds": 0.2})) as made:
        yield made


def consumed(stores: Stores, second: int) -> bool:
    """Whether a file that is put now is stored: the run is still at work."""
    stores.objects.put(spot_key(second), spot_bytes({"XCME.ZN.SEP25": 110.0 + second}))
    drained(stores, spot_key(second))
    return states(stores.settings)[spot_key(second)] == {"stored"}


def past_its_end(stores: Stores) -> bool:
    """Whether the run's window is over by its own word."""
    return any(beat.window_ends_at < time.time() for beat in stores.heartbeats.alive())


def test_a_run_goes_on_until_its_successor_is_there(short: Stores) -> None:
    with running(short) as run:
        eventually(lambda: past_its_end(short))
        (beat,) = short.heartbeats.alive()
        ends_at = beat.window_ends_at
        short.heartbeats.beat(StreamBeat("finishing", ends_at + 60, 0, consuming=False))
        short.heartbeats.beat(StreamBeat("elder", ends_at - 60, 0))
        # An ending run reports once more: these reports are those of a run that goes on.
        seen = run.reports
        eventually(lambda: run.reports >= seen + 3)
        assert consumed(short, 1)
        assert not run.over
        short.heartbeats.beat(StreamBeat("successor", ends_at + 60, 0))
        eventually(lambda: run.over, what="the end of the window")
    assert run.error is None
    files = [figures.files for figures in run.figures if isinstance(figures, FileFigures)]
    assert sum(files) == 1
    assert {figures.partition for figures in run.figures} == {HOUR.strftime(PARTITION_FORMAT)}
    (last,) = (beat for beat in short.heartbeats.alive() if beat.run_id == RUN)
    assert (last.consuming, last.files) == (False, 1)


def test_a_run_without_a_successor_ends_after_its_overtime(
    short: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "OVERTIME_SECONDS", 0.5)
    with running(short) as run:
        eventually(lambda: run.over, what="the end of the overtime")
    assert run.error is None


def test_a_run_reports_what_came_in_between_times(stores: Stores) -> None:
    data = spot_bytes({"XCME.ZN.SEP25": 111.0, "XCME.ZF.SEP25": 108.0}, "odd,x,1,,F,,,,")
    with running(stores) as run:
        stores.objects.put(spot_key(1), data)
        # What is derived from the file may be reported first.
        figures = eventually(
            lambda: next((item for item in run.figures if isinstance(item, FileFigures)), None)
        )
        assert not run.over
        (beat,) = stores.heartbeats.alive()
        assert beat.consuming
    assert figures is not None
    assert (figures.rows_in, figures.rows_stored, figures.rows_rejected) == (3, 2, 1)
    assert (figures.history_puts, figures.latest_changed, figures.size) == (2, 2, len(data))
    assert figures.first_event_time == figures.last_event_time
    assert figures.lag_p50 == figures.lag_max
    assert figures.schema_problems == []


def test_a_run_that_is_ended_gives_its_messages_back(stores: Stores) -> None:
    stores.objects.put(spot_key(1), spot_bytes({"XCME.ZN.SEP25": 111.0}))
    away = AwayWriter(stores)
    with running(stores, history=away) as run:
        assert away.called.wait(PATIENCE_SECONDS)
    assert run.over
    assert run.error is None
    assert states(stores.settings) == {}
    with running(stores):
        drained(stores, spot_key(1))
    assert states(stores.settings) == stored([spot_key(1)])


def test_a_run_stays_while_a_store_is_away_and_the_next_one_writes_what_is_owed(
    quick: Settings,
) -> None:
    with (
        Stores(quick.changed({"store_retry_seconds": 0.3})) as impatient,
        running(impatient, history=AwayWriter(impatient)) as run,
    ):
        impatient.objects.put(spot_key(1), spot_bytes({"XCME.ZN.SEP25": 111.0}))
        eventually(OwedFiles(impatient.objects).any, what="something owed")
        assert not run.over
        (beat,) = impatient.heartbeats.alive()
        assert beat.consuming
    with Stores(quick) as healthy, running(healthy):
        drained(healthy, spot_key(1))
        assert states(quick) == stored([spot_key(1)])


def test_a_run_whose_bucket_stays_away_ends_with_its_error(quick: Settings) -> None:
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    away = quick.changed({"store_retry_seconds": 0.3, "aws_endpoint_url_s3": nowhere})
    with Stores(quick) as healthy, Stores(away) as impatient, running(impatient) as run:
        healthy.objects.put(spot_key(1), spot_bytes({"XCME.ZN.SEP25": 111.0}))
        eventually(lambda: run.over, what="the end of the run")
        assert isinstance(run.error, StoreUnavailableError)
        (beat,) = impatient.heartbeats.alive()
        assert not beat.consuming
    with Stores(quick) as healthy, running(healthy):
        drained(healthy, spot_key(1))
        assert states(quick) == stored([spot_key(1)])
