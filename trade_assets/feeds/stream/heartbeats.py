"""Heartbeats of stream runs, in Redis: who consumes the queue right now, and until when.

Dagster's run launcher never notices that a run's process died; this does. A beat is a key that
expires, so no two clocks are compared.
"""

from dataclasses import asdict, dataclass
from typing import Final, cast

import orjson
import redis

from trade_assets.stores.redis.client import redis_errors

RUNS_KEY: Final = "stream:runs"


@dataclass(frozen=True, slots=True)
class StreamBeat:
    """One live stream run. `window_ends_at` is in epoch seconds of the run's own clock.

    A run that is not `consuming` is alive but finishing: it takes no new files.
    """

    run_id: str
    window_ends_at: float
    files: int
    consuming: bool = True


class Heartbeats:
    """Beats of the stream runs that are alive."""

    def __init__(self, client: "redis.Redis", stale_seconds: float) -> None:
        self._redis = client
        self._stale_ms = int(stale_seconds * 1000)

    def beat(self, beat: StreamBeat) -> None:
        """Say that a run is alive, for the next `stale_seconds`."""
        with redis_errors("writing the stream's heartbeat"):
            self._redis.set(_key(beat.run_id), orjson.dumps(asdict(beat)), px=self._stale_ms)
            self._redis.sadd(RUNS_KEY, beat.run_id)

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


def _key(run_id: str) -> str:
    return f"stream:run:{run_id}"
