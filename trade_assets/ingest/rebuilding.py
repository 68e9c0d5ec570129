"""Rebuilding Redis from what is kept: the originals in the bucket, and the history. Newest first.

What of a concept is rebuilt, and how, is its own matter: a module `rebuilders` with a function
of that name, of connections. Guards decide what is newest, as always: whatever comes meanwhile
stays, and beginning again is right.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol, cast

import redis

from trade_assets.concepts import concept_modules
from trade_assets.datasets.dataset import Dataset
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ingest.isolation import Isolation, Portion
from trade_assets.ingest.redis_life import RedisLife
from trade_assets.ingest.writing import LatestWriter
from trade_assets.logs import get_logger
from trade_assets.stores.connections import Connections
from trade_assets.stores.redis.client import redis_errors
from trade_assets.stores.s3.objects import ObjectStore

log = get_logger(__name__)

PROGRESS_KEY: Final = "rebuilding"
PROGRESS_SECONDS: Final = 120
"""A rebuild that has said nothing for so long has died."""


class Rebuilder(Protocol):
    """What rebuilds a data set, hour by hour."""

    @property
    def dataset(self) -> Dataset:
        """Whose newest records they are."""

    @property
    def first(self) -> bool:
        """Whether it is rebuilt before all others: little, or what others look at."""

    def hours(self) -> Sequence[str]:
        """Keys of the hour partitions of which anything is kept, in any order."""

    def rebuild(self, hour: str) -> Iterator[int]:
        """Put back what an hour has; after each part, how many records that changed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is.

    Attributes:
        done: steps of `total`, a data set's hour each; the last one was of `hour` of `dataset`.
        records: newest records that were put back so far.
    """

    done: int
    total: int
    dataset: str = ""
    hour: str = ""
    records: int = 0

    @property
    def text(self) -> str:
        """In words."""
        at = f", at {self.dataset} {self.hour}" if self.dataset else ""
        return f"{self.done:,} of {self.total:,} hours, {self.records:,} records{at}"


class RebuildBoard:
    """How far the rebuild under way is, in Redis; gone when it has died. Thread-safe."""

    def __init__(self, redis_client: "redis.Redis") -> None:
        self._redis = redis_client

    def write(self, progress: Progress) -> None:
        """Say it.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        fields = {name: str(value) for name, value in asdict(progress).items()}
        with redis_errors("noting the progress of rebuilding"):
            self._redis.hset(PROGRESS_KEY, mapping=cast("Mapping[Any, Any]", fields))
            self._redis.expire(PROGRESS_KEY, PROGRESS_SECONDS)

    def read(self) -> Progress | None:
        """What was said last; None if no rebuild is under way.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("reading the progress of rebuilding"):
            fields = cast("dict[str, str]", self._redis.hgetall(PROGRESS_KEY))
        try:
            counts = {name: int(fields[name]) for name in ("done", "total", "records")}
        except (KeyError, ValueError):
            return None
        return Progress(dataset=fields["dataset"], hour=fields["hour"], **counts)

    def clear(self) -> None:
        """It is over.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        with redis_errors("ending the progress of rebuilding"):
            self._redis.delete(PROGRESS_KEY)


def rebuild_redis(connections: Connections, say: Callable[[Progress], None]) -> Progress:
    """Put back into Redis all that is kept of what belongs there; `say` hears of every step.

    Raises:
        StoreUnavailableError: a store stays away, or Redis lost something once more meanwhile:
            rebuild again.
    """
    life = RedisLife(connections.settings, connections.redis, connections.dynamodb)
    board = RebuildBoard(connections.redis)
    token = life.begin_rebuilding()
    steps = planned(_rebuilders(connections))
    progress = Progress(0, len(steps))
    for done, (rebuilder, hour) in enumerate(steps):
        for changed in rebuilder.rebuild(hour):
            records = progress.records + changed
            progress = Progress(done, len(steps), rebuilder.dataset.path, hour, records)
            board.write(progress)
        progress = Progress(done + 1, len(steps), rebuilder.dataset.path, hour, progress.records)
        board.write(progress)
        say(progress)
    if not life.finish_rebuilding(token):
        raise StoreUnavailableError("Redis lost its data again while it was rebuilt")
    board.clear()
    return progress


def planned(rebuilders: Iterable[Rebuilder]) -> list[tuple[Rebuilder, str]]:
    """Every hour of everybody: those that go first, then the newest hours of all the others."""
    steps = [(item, hour) for item in rebuilders for hour in item.hours()]
    steps.sort(key=lambda step: step[1], reverse=True)
    return sorted(steps, key=lambda step: not step[0].first)


def kept_hours(objects: ObjectStore, prefix: str) -> list[str]:
    """Keys of the hour partitions below a prefix (`<prefix>dt=YYYY-MM-DD/hh=HH/`).

    Raises:
        StoreUnavailableError: the bucket cannot be reached.
    """
    return [
        f"{day[-11:-1]}-{hour[-3:-1]}:00"
        for day in objects.folders(prefix)
        if day[-14:-11] == "dt="
        for hour in objects.folders(day)
        if hour[-6:-3] == "hh="
    ]


def write_newest(latest: LatestWriter, dataset: Dataset, portion: Portion) -> int:
    """Offer records as the newest ones; how many that changed. A file that Redis refuses is left
    out, and said."""
    parts, changed = Isolation(portion), 0
    for part in parts:
        try:
            changed += latest.write(dataset, part.records, part.stated).changed
        except StoreRejectedError as error:
            parts.refuse(part, error)
    return changed


def _rebuilders(connections: Connections) -> list[Rebuilder]:
    modules = concept_modules("rebuilders")
    return [item for module in modules for item in module.rebuilders(connections)]
