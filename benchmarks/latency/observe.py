"""The putter and the reader: when a file landed, and when its rows were readable in Redis.

Both are the same for everything that is compared, and both stand outside of it: the putter is the
main thread, the reader a thread that is blocked on the update stream, and whoever carries the files
is another process. Times are of one monotonic clock.
"""

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from benchmarks.figures import BenchmarkError
from benchmarks.samples import SEED, Sample
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets.stores.serialise import iso_text

UPDATES_KEY: Final = f"updates:{SPOT_RISK.source}:{SPOT_RISK.name}"
LATE_SECONDS: Final = 30.0
JITTER: Final = 0.5
"""Share of the pace by which a put is moved at random. Without it every put would meet the 100 ms
rhythm of the stand-in's long poll at the same point, and the figure would be luck."""


@dataclass(frozen=True, slots=True)
class Update:
    """An entry of the update stream, and when the reader had it."""

    event_time: str
    file_key: str
    at: float


@dataclass(frozen=True, slots=True)
class Landing:
    """A file that was put: `landed_at` is right after the PUT was acknowledged.

    `seen_at` is when its rows, or those of a newer file, were readable; None if they never were.
    """

    key: str
    event_time: str
    landed_at: float
    seen_at: float | None = None
    by_newer: bool = False

    @property
    def latency(self) -> float | None:
        """Seconds from landed to readable."""
        return None if self.seen_at is None else self.seen_at - self.landed_at


class Reader(threading.Thread):
    """Reads the update stream, blocked: costs no CPU while nothing happens."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="reader", daemon=True)
        self._redis = connect(settings)
        self._stopped = threading.Event()
        self.updates: list[Update] = []

    def run(self) -> None:
        last = "0"
        while not self._stopped.is_set():
            answer = cast("Any", self._redis.xread({UPDATES_KEY: last}, block=200))
            at = time.monotonic()
            for _, entries in answer or ():
                for entry, fields in entries:
                    last = entry
                    self.updates.append(Update(fields["event_time"], fields["file_key"], at))

    def has_seen(self, event_time: str) -> bool:
        """Whether rows of that time or newer are readable."""
        return any(update.event_time >= event_time for update in reversed(self.updates))

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()
        self._redis.close()


def put_and_watch(
    settings: Settings, warm_up: Sequence[Sample], files: Sequence[Sample], pace: float, wait: float
) -> list[Landing]:
    """Put files, one every `pace` seconds; when each landed and was readable, in order.

    The `warm_up` files come before, one after the other, and are not part of the figure: whoever
    carries the files is known to be there then. `wait` bounds what may pass after each of these,
    and after the last file, in seconds.

    Raises:
        BenchmarkError: a warm-up file does not come through.
    """
    with Reader(settings) as reader:
        objects = ObjectStore(settings)
        try:
            for item in warm_up:
                landing = _put(objects, item)
                if not _await(reader, landing.event_time, wait):
                    raise BenchmarkError(f"a first file was not readable within {wait:.0f} s")
            landings = _put_all(objects, files, pace)
            _await(reader, landings[-1].event_time, wait)
        finally:
            objects.close()
        return match(landings, reader.updates)


def _put_all(objects: ObjectStore, files: Sequence[Sample], pace: float) -> list[Landing]:
    jitter = random.Random(SEED)
    begin = time.monotonic() + pace
    landings = []
    for number, item in enumerate(files):
        due = begin + (number + JITTER * jitter.random()) * pace
        time.sleep(max(0.0, due - time.monotonic()))
        landings.append(_put(objects, item))
    return landings


def _put(objects: ObjectStore, item: Sample) -> Landing:
    key = feed_file_key(SPOT_RISK, item.name, datetime.now(UTC))
    objects.put(key, item.data)
    return Landing(key, iso_text(item.event_time), time.monotonic())


def _await(reader: Reader, event_time: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if reader.has_seen(event_time):
            return True
        time.sleep(0.05)
    return False


def match(landings: Sequence[Landing], updates: Sequence[Update]) -> list[Landing]:
    """When each file was readable: at the first update of its own event time or a newer one.

    A newer file counts because it may be written together with the older one (a micro-batch), or
    replace it; what a reader finds is then not older than the file. Event times rise with landings.
    """
    own = {update.file_key for update in updates}
    ahead = sorted(updates, key=lambda update: update.at)
    matched, position = [], 0
    for landing in sorted(landings, key=lambda item: item.event_time):
        while position < len(ahead) and ahead[position].event_time < landing.event_time:
            position += 1
        seen = ahead[position].at if position < len(ahead) else None
        matched.append(
            Landing(
                landing.key,
                landing.event_time,
                landing.landed_at,
                seen,
                by_newer=seen is not None and landing.key not in own,
            )
        )
    return matched
