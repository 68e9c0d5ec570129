"""Backlog: files waiting in the queue until they are drained, beside DynamoDB's write ceiling."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

from benchmarks.ceiling import Trial, write_ceiling
from benchmarks.derived_greeks import GreeksWritten, greeks_written, show_expiries
from benchmarks.figures import BenchmarkError, Figure, Goal, Row, Table
from benchmarks.ledger_lines import await_stored
from benchmarks.parts import Bench, running_stores
from benchmarks.samples import Sample, sample_records, samples, sizes
from benchmarks.stream import running_stream
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets.stores.serialise import dynamodb_items, with_keys

GOAL_SHARE: Final = 0.85
GOAL: Final = f"rows of the files at least {GOAL_SHARE:.0%} of the ceiling, Greeks not counted"
DRAIN_SECONDS: Final = 1_800.0
PUTTERS: Final = 4
_HEARTBEAT_SECONDS: Final = 0.1  # how exactly the end is seen
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class Drained:
    """What the stream did with the backlog; `rows` are the files' own."""

    files: int
    rows: int
    greeks: GreeksWritten
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows of files written to both stores a second."""
        return self.rows / self.seconds

    @property
    def written(self) -> int:
        """All records written to history: rows, and Greeks derived from them."""
        return self.rows + self.greeks.records


def measure(bench: Bench) -> Figure:
    """The ceiling first, alone; then the backlog against the same stand-in."""
    files = samples(bench.scale.backlog_files)
    with running_stores(bench, "backlog", heartbeat_seconds=_HEARTBEAT_SECONDS) as settings:
        provision(settings)
        bench.say("backlog: write ceiling of the local DynamoDB")
        ceiling, trials = write_ceiling(settings, _items(files), bench.scale.ceiling_items)
        bench.say(f"backlog: putting {len(files):,} files")
        rows_by_key = _put_all(settings, files)
        _require_waiting(settings, len(files))
        show_expiries(settings)
        bench.say("backlog: draining it")
        drained = drain(settings, rows_by_key)
    return _figure(files, drained, ceiling, trials)


def drain(settings: Settings, rows_by_key: dict[str, int]) -> Drained:
    """Start the stream under Dagster; from its first heartbeat to the last file done with.

    Done with: its rows and the Greeks of its micro-batch in both stores, it in the ledger, and its
    message deleted.

    Raises:
        BenchmarkError: it takes longer than `DRAIN_SECONDS`, or a file is not stored whole.
    """
    with running_stream(settings) as watch:
        watch.await_files(len(rows_by_key), DRAIN_SECONDS)
        _await_empty_queue(settings)
        seconds = time.monotonic() - watch.consuming_since
        await_stored(settings, rows_by_key, seconds=0.0)
    greeks = greeks_written(settings)
    return Drained(len(rows_by_key), sum(rows_by_key.values()), greeks, seconds)


def _items(files: Sequence[Sample]) -> list[str]:
    """The very items that the stream will write of the files; Greeks come on top."""
    return [item for file in files for item in dynamodb_items(with_keys(sample_records(file)))]


def _put_all(settings: Settings, files: Sequence[Sample]) -> dict[str, int]:
    """Put all files; their rows by key."""
    now = datetime.now(UTC)
    keys = [feed_file_key(SPOT_RISK, file.name, now) for file in files]
    with FeedStores.open(settings) as stores, ThreadPoolExecutor(PUTTERS) as pool:
        list(pool.map(stores.objects.put, keys, [file.data for file in files]))
    return {key: file.rows for key, file in zip(keys, files, strict=True)}


def _require_waiting(settings: Settings, count: int) -> None:
    with FeedStores.open(settings) as stores:
        waiting = stores.queue.depth().waiting
    if waiting < count:
        raise BenchmarkError(f"{waiting} notifications wait, but {count} files were put")


def _await_empty_queue(settings: Settings) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    with FeedStores.open(settings) as stores:
        while True:
            depth = stores.queue.depth()
            if depth.dead:
                raise BenchmarkError(f"{depth.dead} messages ended in the dead-letter queue")
            if not depth.waiting and not depth.in_flight:
                return
            if time.monotonic() > deadline:
                raise BenchmarkError(f"the queue still holds {depth}")
            time.sleep(_POLL_SECONDS)


def _figure(files: list[Sample], drained: Drained, ceiling: Trial, trials: list[Trial]) -> Figure:
    share = drained.rows_per_second / ceiling.items_per_second
    rows = [
        _stream_row("rows of the files", drained.rows, drained, ceiling),
        _stream_row("the same and Greeks", drained.written, drained, ceiling),
        _trial_row("DynamoDB ceiling, rows of the files", ceiling, ceiling),
        *(_trial_row("DynamoDB ceiling, trial", trial, ceiling) for trial in trials),
    ]
    figure = Figure("backlog", f"Backlog: {drained.files:,} files waiting, until drained")
    columns = ("what", "records", "seconds", "files/s", "records/s", "of the ceiling")
    figure.tables = [Table(columns, rows)]
    measured = f"{share:.1%} of {ceiling.items_per_second:,.0f} items/s"
    figure.goals = [Goal(GOAL, measured, share >= GOAL_SHARE)]
    figure.notes = [
        f"{sizes(files)}.",
        "Drained: queue empty, nothing in flight, every file in the ledger as stored with all "
        "rows; from the stream run's first heartbeat on.",
        "The time includes deriving: of every micro-batch's newest picture, not of every file, "
        f"Greeks go into both stores: {drained.greeks.records:,} records, counted in the table "
        f"afterwards, of which {drained.greeks.solved:,} have a solution. The times to expiry that "
        "they need are in Redis before.",
        "Ceiling: BatchWriteItem of the very items of the files' rows, without Greeks, 25 a "
        "request, bodies made and signed before, alone, into fresh tables of the same stand-in; "
        "concurrency chosen by the trials. The stand-in is one process: while draining it also "
        "serves GETs, the queue and the ledger.",
    ]
    figure.data = {
        "drained": asdict(drained),
        "ceiling": asdict(ceiling),
        "trials": [asdict(trial) for trial in trials],
        "share_of_ceiling": share,
    }
    return figure


def _stream_row(what: str, records: int, drained: Drained, ceiling: Trial) -> Row:
    per_second = records / drained.seconds
    return (
        f"stream under Dagster, {what}", f"{records:,}", f"{drained.seconds:.1f}",
        f"{drained.files / drained.seconds:,.1f}", f"{per_second:,.0f}",
        f"{per_second / ceiling.items_per_second:.1%}",
    )  # fmt: skip


def _trial_row(name: str, trial: Trial, ceiling: Trial) -> Row:
    share = trial.items_per_second / ceiling.items_per_second
    return (
        f"{name} ({trial.concurrency} at a time)", f"{trial.items:,}", f"{trial.seconds:.1f}", "",
        f"{trial.items_per_second:,.0f}", f"{share:.1%}",
    )  # fmt: skip
