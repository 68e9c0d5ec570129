"""The window of a stream run: how long it consumes, who takes over, and its heartbeat."""

import threading
import time
from collections.abc import Generator, Iterator
from typing import Final

from trade_assets.errors import TradeAssetsError
from trade_assets.feeds.stream.consumer import StreamConsumer
from trade_assets.feeds.stream.heartbeats import Beats, StreamBeat
from trade_assets.feeds.stream.reporting import StreamFigures, StreamReports
from trade_assets.logs import get_logger
from trade_assets.settings import Settings

log = get_logger(__name__)

TICK_SECONDS: Final = 0.2
OVERTIME_SECONDS: Final = 600.0
"""Longest that a run goes on behind its window's end while no successor shows up."""


class StreamWindow:
    """Runs a consumer for one window and gives out its figures now and then."""

    def __init__(
        self,
        settings: Settings,
        consumer: StreamConsumer,
        heartbeats: Beats,
        reports: StreamReports,
        run_id: str,
    ) -> None:
        self._settings = settings
        self._consumer = consumer
        self._heartbeats = heartbeats
        self._reports = reports
        self._run_id = run_id
        self._ends_at = time.time() + settings.stream.window_seconds
        self._over = threading.Event()
        self._away = False
        self._beating = threading.Thread(target=self._beat_loop, name="heartbeat", daemon=True)

    def run(self) -> Generator[list[StreamFigures]]:
        """Consume until the window is over and a successor is alive; yields figures to report.

        Raises:
            TradeAssetsError: what ended the consumer early.
        """
        drained = False
        self._consumer.start()
        self._beating.start()
        try:
            yield from self._report_until_over()
            self._consumer.stop(drain=True)
            drained = True
            yield self._reports.take()
        finally:
            if not drained:
                self._consumer.stop(drain=False)
            self._over.set()
            self._beating.join()
            self._beat()
        if self._consumer.error is not None:
            raise self._consumer.error

    def _report_until_over(self) -> Iterator[list[StreamFigures]]:
        reported_at = time.monotonic()
        while self._consumer.error is None and not self._is_over():
            time.sleep(TICK_SECONDS)
            if time.monotonic() - reported_at >= self._settings.stream.report_interval_seconds:
                reported_at = time.monotonic()
                yield self._reports.take()

    def _is_over(self) -> bool:
        behind = time.time() - self._ends_at
        return behind >= OVERTIME_SECONDS or (behind >= 0 and self._has_successor())

    def _has_successor(self) -> bool:
        try:
            return any(
                beat.consuming
                and beat.run_id != self._run_id
                and beat.window_ends_at > self._ends_at
                for beat in self._heartbeats.alive()
            )
        except TradeAssetsError:
            return False

    def _beat_loop(self) -> None:
        self._beat()
        while not self._over.wait(self._settings.stream.heartbeat_seconds):
            self._beat()

    def _beat(self) -> None:
        """One beat. The last one says that the run is finishing, and expires by itself: Dagster
        takes a moment to end the run, in which it must not look dead."""
        beat = StreamBeat(
            self._run_id,
            self._ends_at,
            self._reports.files_total,
            consuming=self._consumer.healthy and not self._over.is_set(),
        )
        try:
            self._heartbeats.beat(beat)
            self._away = False
        except TradeAssetsError as error:
            if not self._away:
                log.warning("no heartbeat", error=str(error))
            self._away = True
