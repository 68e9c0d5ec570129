"""Bucket sensor: the work of a tick in a small and in a large bucket, without and with new files.

The stand-in sorts a whole bucket at every listing, which S3 does not; so the listing is timed
inside the tick, and the same calls once more with nothing around them.
"""

import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final

import dagster as dg

from benchmarks.figures import BenchmarkError, Figure, Goal, Spread, Table
from benchmarks.parts import Bench, running_stores
from benchmarks.sensor_bucket import fill_bucket, put_unannounced
from trade_assets.definitions import build_definitions
from trade_assets.defs.feeds.bucket_sensor import SensorCursor
from trade_assets.defs.shared.names import BUCKET_SENSOR, QUICK_FEED_STORES
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.feeds.stream.discovery import BucketScanner, ScanCursor
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import LIST_PAGE, ObjectInfo, ObjectStore

MISSED_AFTER_SECONDS: Final = 0.001
"""Files are missed at once, so that a tick with new files does all that it may have to do."""
BEAT_SECONDS: Final = 3600.0
CATCH_UP_SCANS: Final = 1_000

Work = Callable[[], int]
"""Does it once, and says how many new files it found."""
Prepare = Callable[[], Work]
"""Makes ready, outside of the measured time."""

SCAN: Final = "scan"
TICK: Final = "whole tick"


class WatchedObjects(ObjectStore):
    """Notes every listing, and the time and keys that it took."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.calls: list[tuple[str, str | None]] = []
        self.seconds = 0.0
        self.keys = 0

    def list_after(self, prefix: str, after: str | None = None) -> Iterator[ObjectInfo]:
        """The listing, timed while it works and not while its consumer does."""
        self.calls.append((prefix, after))
        begin = time.perf_counter()
        for info in super().list_after(prefix, after):
            self.seconds += time.perf_counter() - begin
            self.keys += 1
            yield info
            begin = time.perf_counter()
        self.seconds += time.perf_counter() - begin

    def reset(self) -> None:
        """Forget what was noted."""
        self.calls, self.seconds, self.keys = [], 0.0, 0


class WatchedStores(FeedStores):
    """The stores, with a watched bucket."""

    @cached_property
    def objects(self) -> WatchedObjects:
        """The bucket."""
        return WatchedObjects(self.settings)


@dataclass
class Ticks:
    """Repetitions of one kind of tick; times in seconds."""

    objects: int
    new: int
    work: str
    total: list[float] = field(default_factory=list)
    rest: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    list_calls: int = 0
    keys: int = 0


@dataclass(frozen=True)
class Subject:
    """A bucket of one size in a stand-in of its own, and the works to be measured on it."""

    size: int
    stores: WatchedStores
    works: dict[str, Prepare]
    newest_at: datetime


def measure(bench: Bench) -> Figure:
    """Both sizes side by side, tick by tick in turn, so that a disturbance meets both."""
    new = bench.scale.new_files
    with ExitStack() as stack:
        subjects = [stack.enter_context(_subject(bench, n)) for n in bench.scale.bucket_sizes]
        bench.say("sensor: ticks with nothing new")
        ticks = _measure_works(bench, subjects, 0)
        for subject in subjects:
            put_unannounced(subject.stores, new, subject.newest_at + timedelta(seconds=1))
        bench.say(f"sensor: ticks with {new} new files")
        ticks += _measure_works(bench, subjects, new)
    return _figure(bench, ticks)


@contextmanager
def _subject(bench: Bench, size: int) -> Iterator[Subject]:
    name = f"sensor-{size}"
    with running_stores(bench, name, missed_after_seconds=MISSED_AFTER_SECONDS) as settings:
        stores = WatchedStores.open(settings, patient=False)
        with stores, _instance(bench.folder / name) as instance:
            bench.say(f"sensor: filling a bucket with {size:,} objects")
            ago = timedelta(seconds=bench.scale.new_files + 1)
            newest_at = datetime.now(UTC).replace(microsecond=0) - ago
            fill_bucket(settings, stores, size, newest_at)
            yield Subject(size, stores, _works(stores, instance), newest_at)


def _measure_works(bench: Bench, subjects: Sequence[Subject], new: int) -> list[Ticks]:
    """Every work on every subject; the first round does not count."""
    measured = []
    for name in (SCAN, TICK):
        kinds = [Ticks(subject.size, new, name) for subject in subjects]
        for number in range(bench.scale.ticks + 1):
            for subject, ticks in zip(subjects, kinds, strict=True):
                _once(subject.stores.objects, ticks, subject.works[name], counts=number > 0)
        measured += kinds
    return measured


@contextmanager
def _instance(folder: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance with storage on disk (SQLite), as a local one has."""
    home = folder / "instance"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        yield instance


def _works(stores: WatchedStores, instance: dg.DagsterInstance) -> dict[str, Prepare]:
    """The scan alone and the whole tick, each always from the same cursor, behind all files."""
    sensor, context_at = _real_sensor(stores, instance)
    scanner = BucketScanner(stores, timedelta(seconds=stores.settings.arrival.missed_after_seconds))
    scan_cursor = _settled(scanner)

    def prepare_scan() -> Work:
        cursor = ScanCursor.from_json(scan_cursor)
        return lambda: len(scanner.scan(cursor, datetime.now(UTC)).missed)

    # Once before: it reports that the feeds are not fresh, which it does not repeat.
    first = sensor.evaluate_tick(context_at(SensorCursor(scan=scan_cursor).to_json()))

    def prepare_tick() -> Work:
        context = context_at(first.cursor)
        return lambda: _files_requested(sensor.evaluate_tick(context).run_requests or [])

    return {SCAN: prepare_scan, TICK: prepare_tick}


def _real_sensor(
    stores: WatchedStores, instance: dg.DagsterInstance
) -> tuple[dg.SensorDefinition, Callable[[str | None], dg.SensorEvaluationContext]]:
    """The sensor of the real definitions, and what makes a context for one tick of it."""
    resources = {QUICK_FEED_STORES: stores}
    with warnings.catch_warnings():
        # Dagster passes a beta parameter of its own to itself for every sensor.
        warnings.simplefilter("ignore", dg.BetaWarning)
        definitions = build_definitions(settings=stores.settings, resource_overrides=resources)
        sensor = definitions.resolve_sensor_def(BUCKET_SENSOR)

    def context_at(cursor: str | None) -> dg.SensorEvaluationContext:
        # A stream run is alive, as it always is: there is none to request.
        stores.heartbeats.beat(StreamBeat("bench", time.time() + BEAT_SECONDS, 0))
        return dg.build_sensor_context(
            instance=instance, cursor=cursor, definitions=definitions, resources=resources
        )

    return sensor, context_at


def _settled(scanner: BucketScanner) -> str:
    """The scan's cursor when it has seen all that is there.

    Raises:
        BenchmarkError: it does not come to rest.
    """
    cursor = ScanCursor()
    for _ in range(CATCH_UP_SCANS):
        before = cursor.to_json()
        scanner.scan(cursor, datetime.now(UTC))
        if cursor.to_json() == before:
            return before
    raise BenchmarkError(f"the sensor is not at the end after {CATCH_UP_SCANS} scans")


def _files_requested(requests: Iterable[dg.RunRequest]) -> int:
    return sum(int(request.tags["trade_assets/files"]) for request in requests)


def _once(watched: WatchedObjects, ticks: Ticks, prepare: Prepare, *, counts: bool) -> None:
    """Measure one tick.

    Raises:
        BenchmarkError: it does not find what there is.
    """
    work = prepare()
    watched.reset()
    begin = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - begin
    if found != ticks.new:
        raise BenchmarkError(f"a {ticks.work} found {found} new files of {ticks.new}")
    listing, calls = watched.seconds, list(watched.calls)
    ticks.list_calls, ticks.keys = len(calls), watched.keys
    if counts:
        ticks.total.append(seconds)
        ticks.rest.append(seconds - listing)
        ticks.bare.append(_bare(watched, calls))


def _bare(objects: ObjectStore, calls: Iterable[tuple[str, str | None]]) -> float:
    """Seconds of the same listings with nothing around them."""
    begin = time.perf_counter()
    for prefix, after in calls:
        for _ in islice(objects.list_after(prefix, after), LIST_PAGE):
            pass
    return time.perf_counter() - begin


def _figure(bench: Bench, ticks: list[Ticks]) -> Figure:
    columns = (
        "work", "objects", "new files", "ms", "10 to 90 %", "less listing", "10 to 90 %",
        "bare listing", "list calls", "keys",
    )  # fmt: skip
    figure = Figure("sensor", "Bucket sensor: the work of a tick")
    figure.tables = [Table(columns, [_row(item) for item in ticks])]
    for new in (0, bench.scale.new_files):
        figure.goals += _goals([item for item in ticks if item.new == new and item.work == TICK])
    figure.notes = [
        f"Median of {bench.scale.ticks} ticks, all from the same cursor. `{SCAN}`: "
        f"BucketScanner.scan; `{TICK}`: the sensor of the real definitions by evaluate_tick, with "
        "queue, heartbeats, runs of the instance (SQLite) and freshness; a stream run is alive; no "
        "run is launched.",
        "New files: unannounced, in no ledger, and requested in one run. The bucket holds a "
        "spot-risk file every second and a trade ledger an hour; all are in the ledger.",
        "Milliseconds. Listing is timed inside the tick and taken off (`less listing`), because "
        "the stand-in sorts the whole bucket at every call, which S3 does not. `bare listing`: the "
        "same calls, alone. `keys`: those that the listings gave. The same within noise: the "
        "ranges from 10 to 90 % overlap. Both buckets are measured in turn, tick by tick.",
    ]
    figure.data = {"ticks": [asdict(item) for item in ticks]}
    return figure


def _row(item: Ticks) -> tuple[str, ...]:
    spreads = [Spread.of(item.total), Spread.of(item.rest)]
    times = [text for spread in spreads for text in (_ms(spread.median), _span(spread))]
    return (
        item.work, f"{item.objects:,}", f"{item.new}", *times, _ms(Spread.of(item.bare).median),
        f"{item.list_calls}", f"{item.keys}",
    )  # fmt: skip


def _goals(ticks: list[Ticks]) -> list[Goal]:
    """The same within noise at the smallest and at the largest size, with and without listing."""
    small, large = ticks[0], ticks[-1]
    sizes = f"{small.objects:,} and {large.objects:,} objects"
    goals = []
    for what, first, last in (
        ("without the stand-in's listing", small.rest, large.rest),
        ("with the stand-in's listing", small.total, large.total),
    ):
        here, there = Spread.of(first), Spread.of(last)
        measured = f"{_ms(here.median)} and {_ms(there.median)} ms"
        text = f"a tick with {small.new} new files, {what}, takes as long at {sizes}"
        goals.append(Goal(text, measured, here.overlaps(there)))
    return goals


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def _span(spread: Spread) -> str:
    return f"{_ms(spread.low)} to {_ms(spread.high)}"
