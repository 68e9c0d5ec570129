"""Heartbeats of stream runs: who consumes the queue right now, and until when.

Dagster's run launcher never notices that a run's process died; this does. In Redis a beat is a key
that expires, so no two clocks are compared. A Redis that is away or full says nothing about a run:
each also beats, rarely, in the books that its supervisor reads anyway (`SureHeartbeats`).
"""

import time
from dataclasses import asdict, dataclass
from typing import Final, Protocol, cast

import orjson
import redis

from trade_assets.errors import TradeAssetsError
from trade_assets.stores.redis.client import redis_errors

RUNS_KEY: Final = "stream:runs"
PROBE_KEY: Final = "stream:probe"
BOOKS_SECONDS: Final = 10.0
"""Between two beats of a run in the books."""


@dataclass(frozen=True, slots=True)
class StreamBeat:
    """One live stream run. `window_ends_at` is in epoch seconds of the run's own clock.

    A run that is not `consuming` is alive but finishing: it takes no new files.
    """

    run_id: str
    window_ends_at: float
    files: int
    consuming: bool = True


class Beats(Protocol):
    """Where stream runs beat."""

    def beat(self, beat: StreamBeat) -> None:
        """Say that a run is alive."""

    def alive(self) -> list[StreamBeat]:
        """Runs whose last beat is not stale."""


class Heartbeats:
    """Beats of the stream runs that are alive, in Redis."""

    def __init__(self, client: "redis.Redis", stale_seconds: float) -> None:
        self._redis = client
        self.stale_seconds = stale_seconds
        self._stale_ms = int(stale_seconds * 1000)

    def beat(self, beat: StreamBeat) -> None:
        """Say that a run is alive, for the next `stale_seconds`."""
        with redis_errors("writing the stream's heartbeat"):
            self._redis.set(_key(beat.run_id), orjson.dumps(asdict(beat)), px=self._stale_ms)
            self._redis.sadd(RUNS_KEY, beat.run_id)

    def takes_beats(self) -> bool:
        """Whether Redis takes a beat now: only then a run's silence says that it is dead."""
        try:
            with redis_errors("trying the stream's heartbeat"):
                self._redis.set(PROBE_KEY, "1", px=self._stale_ms)
        except TradeAssetsError:
            return False
        return True

    def alive(self) -> list[StreamBeat]:
        """Runs whose last beat is not stale; forgets the others."""
        with redis_errors("reading the stream's heartbeats"):
            beats = []
            for run_id in sorted(cast("set[str]", self._redis.smembers(RUNS_KEY))):
                text = cast("str | None", self._redis.get(_key(run_id)))
                if text is None:
                    self._redis.srem(RUNS_KEY, run_id)
                    continue
                beats.append(StreamBeat(**orjson.loads(text)))
            return beats


class SureHeartbeats:
    """Beats in Redis and in the books: what is known of stream runs whatever Redis does.

    Args:
        in_redis: beats of every half second.
        books: of every `BOOKS_SECONDS`.
    """

    def __init__(self, in_redis: Heartbeats, books: Beats) -> None:
        self._in_redis = in_redis
        self._books = books
        self._noted_at: float | None = None

    def beat(self, beat: StreamBeat) -> None:
        """Say that a run is alive; in the books now and then, and when it begins to finish.

        Raises:
            StoreUnavailableError: Redis did not take it.
        """
        now = time.monotonic()
        if self._noted_at is None or not beat.consuming or now - self._noted_at >= BOOKS_SECONDS:
            self._noted_at = now
            self._books.beat(beat)
        self._in_redis.beat(beat)

    def alive(self) -> list[StreamBeat]:
        """Runs that are alive by Redis, or, where it cannot tell, by the books."""
        noted = {beat.run_id: beat for beat in self._books.alive()}
        try:
            found = {beat.run_id: beat for beat in self._in_redis.alive()}
            if noted.keys() <= found.keys():
                return list(found.values())
            if self._in_redis.takes_beats():
                # It may be back just now: whoever lives beats again within a moment.
                time.sleep(self._in_redis.stale_seconds)
                return self._in_redis.alive()
        except TradeAssetsError:
            found = {}
        return list((noted | found).values())


def _key(run_id: str) -> str:
    return f"stream:run:{run_id}"
