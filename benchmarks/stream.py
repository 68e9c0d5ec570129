"""The platform's own stream as a user has it: Dagster runs it, its sensor keeps it alive."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.figures import BenchmarkError
from benchmarks.parts import running_dagster
from trade_assets.feeds.stream.heartbeats import Heartbeats, StreamBeat
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect

STREAM_START_SECONDS: Final = 90.0
_POLL_SECONDS: Final = 0.01


@contextmanager
def running_stream(settings: Settings) -> Iterator["StreamWatch"]:
    """Start Dagster over provisioned stores and wait until a stream run consumes the queue.

    Raises:
        BenchmarkError: none does within `STREAM_START_SECONDS`.
    """
    watch = StreamWatch(settings)
    try:
        with running_dagster(settings):
            watch.await_consuming()
            yield watch
    finally:
        watch.close()


class StreamWatch:
    """Looks at the stream's heartbeats in Redis, which costs the stores nothing to speak of."""

    def __init__(self, settings: Settings) -> None:
        self._redis = connect(settings)
        self._beats = Heartbeats(self._redis, settings.stream.heartbeat_stale_seconds)
        self.consuming_since = 0.0

    def beats(self) -> list[StreamBeat]:
        """The live stream runs."""
        return self._beats.alive()

    def await_consuming(self) -> None:
        """Wait for the first beat; `consuming_since` is then when it was seen (monotonic)."""
        deadline = time.monotonic() + STREAM_START_SECONDS
        while not any(beat.consuming for beat in self.beats()):
            if time.monotonic() > deadline:
                raise BenchmarkError(f"no stream run within {STREAM_START_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        self.consuming_since = time.monotonic()

    def await_files(self, count: int, seconds: float) -> None:
        """Wait until the stream has let go of so many files.

        Raises:
            BenchmarkError: it has not within `seconds`.
        """
        deadline = time.monotonic() + seconds
        while sum(beat.files for beat in self.beats()) < count:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"the stream did not take {count} files in {seconds:.0f} s")
            time.sleep(_POLL_SECONDS)

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()
