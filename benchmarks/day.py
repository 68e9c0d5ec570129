"""A day of files, one a second, as fast as the stack takes them: what memory and disk come to."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from benchmarks.figures import BenchmarkError, Figure, Goal, Row, Table
from benchmarks.ledger_lines import ledger_lines
from benchmarks.parts import Bench, running_stores
from benchmarks.samples import Sample, sample
from benchmarks.stream import running_stream
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.local.stack_status import folder_bytes
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.provision import provision

ROWS: Final = 80
"""Of each file, as the desk's."""
CHUNK: Final = 100
MOST_WAITING: Final = 200
"""Files that may wait before the next chunk is put: the stack sets the pace, no queue builds up."""
CHECKPOINTS: Final = 12
GOAL_MB: Final = 2_000
GOAL: Final = f"at most {GOAL_MB:,} MB of memory at any time"
STALLED_SECONDS: Final = 600.0
_PUTTERS: Final = 4
_POLL_SECONDS: Final = 0.2
_TABLES: Final = "dynamodb"


@dataclass(frozen=True)
class Checkpoint:
    """How it stands after so many files; sizes in MB.

    `memory_mb` is that of all processes, of what several share each counts its part.
    """

    files: int
    seconds: float
    memory_mb: float
    disk_mb: float
    tables_mb: float


def measure(bench: Bench) -> Figure:
    """Put the day's files behind each other, and look at the stack a dozen times."""
    count = bench.scale.day_files
    with running_stores(bench, "day") as settings:
        provision(settings)
        with running_stream(settings):
            points = list(_feed(bench, settings, count))
        stored = _stored(settings)
    if stored != count:
        raise BenchmarkError(f"{stored:,} of {count:,} files are stored")
    return _figure(points, count)


def _feed(bench: Bench, settings: Settings, count: int) -> Iterator[Checkpoint]:
    begin, step = time.monotonic(), max(count // CHECKPOINTS, 1)
    due = step
    with FeedStores.open(settings) as stores, ThreadPoolExecutor(_PUTTERS) as pool:
        for first in range(0, count, CHUNK):
            chunk = [sample(second, ROWS) for second in range(first, min(first + CHUNK, count))]
            _put(stores, pool, chunk)
            done = first + len(chunk)
            _await_waiting(stores, MOST_WAITING if done < count else 0)
            if done >= due or done == count:
                due += step
                yield _look(settings.home_path, done, time.monotonic() - begin)
                bench.say(f"day: {done:,} of {count:,} files")


def _put(stores: FeedStores, pool: ThreadPoolExecutor, files: Sequence[Sample]) -> None:
    now = datetime.now(UTC)
    keys = [feed_file_key(SPOT_RISK, file.name, now) for file in files]
    list(pool.map(stores.objects.put, keys, [file.data for file in files]))


def _await_waiting(stores: FeedStores, most: int) -> None:
    """Wait until no more than so many files are in the queue.

    Raises:
        BenchmarkError: a file was given up, or nothing has changed for `STALLED_SECONDS`.
    """
    last, since = None, time.monotonic()
    while True:
        depth = stores.queue.depth()
        if depth.dead:
            raise BenchmarkError(f"{depth.dead} messages ended in the dead-letter queue")
        if depth.waiting + depth.in_flight <= most:
            return
        if depth != last:
            last, since = depth, time.monotonic()
        if time.monotonic() - since > STALLED_SECONDS:
            raise BenchmarkError(f"the queue still holds {depth}")
        time.sleep(_POLL_SECONDS)


def _look(home: Path, files: int, seconds: float) -> Checkpoint:
    memory = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # runs end as they like
            memory += process.memory_full_info().pss
    return Checkpoint(
        files, seconds, memory / 1e6, folder_bytes(home) / 1e6, folder_bytes(home / _TABLES) / 1e6
    )


def _stored(settings: Settings) -> int:
    lines = ledger_lines(settings).values()
    return sum(line.get("state") == FileState.STORED for line in lines)


def _figure(points: Sequence[Checkpoint], count: int) -> Figure:
    most, last = max(point.memory_mb for point in points), points[-1]
    figure = Figure("day", f"A compressed day: {count:,} files of {ROWS} rows behind each other")
    columns = ("files", "seconds", "memory MB", "disk MB", "of it tables MB")
    figure.tables = [Table(columns, [_row(point) for point in points])]
    figure.goals = [Goal(GOAL, f"{most:,.0f} MB", most <= GOAL_MB)]
    figure.notes = [
        f"{last.files / last.seconds:,.1f} files a second. The stores, Dagster's daemon and code "
        "server, and the stream's runs; the UI, the desk and TT are left out.",
        "Nothing expires meanwhile: `trade-assets up` keeps "
        "TRADE_ASSETS_LOCAL_HISTORY_HOURS of it.",
    ]
    figure.data = {"checkpoints": [asdict(point) for point in points]}
    return figure


def _row(point: Checkpoint) -> Row:
    return (
        f"{point.files:,}", f"{point.seconds:,.0f}", f"{point.memory_mb:,.0f}",
        f"{point.disk_mb:,.0f}", f"{point.tables_mb:,.0f}",
    )  # fmt: skip
