"""Slots as a user has them: Dagster's sensor requests them, runs take them from a simulated TT.

Who looks stands outside: the simulator's own journal says when it was asked, Dagster's books when a
run was requested, and Redis is looked at from here. All by the one clock of this machine.
"""

import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import dagster as dg

from benchmarks.figures import BenchmarkError
from benchmarks.parts import Bench, running_dagster, running_stores
from benchmarks.simulator import Asked, running_simulator, simulator_url
from benchmarks.slots.storage import Looks, Storage, look, rows_about
from trade_assets.defs.maintenance.prune import forget_run
from trade_assets.defs.shared.names import SLOT_JOB, SLOT_TAG
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT, slot_at, slot_of_text

if TYPE_CHECKING:
    import redis

FIRST_SECONDS: Final = 180.0
"""Within this the first slot is whole, with Dagster's start; it is not measured."""
SETTLED_SECONDS: Final = 20.0
"""After a slot, when its run is over, and the storage is looked at."""
_POLL_SECONDS: Final = 0.01
_SETS: Final = ("set:tt:orders", "set:tt:positions")
_STATUSES: Final = tuple(f"status:{item.source}:{item.name}" for item in SNAPSHOTS.values())


@dataclass(frozen=True)
class SlotSeen:
    """A slot; all else is in seconds after it, None where it did not come to pass.

    Attributes:
        requested: its run was in Dagster's books.
        started: the run's process had begun its work.
        asked: TT got the first request.
        pictures: orders and positions of this slot were readable in Redis.
        stored: every kind of this slot was in Redis and DynamoDB.
        ended: its run was over.
        runs: how many runs it had.
    """

    slot: datetime
    requested: float | None = None
    started: float | None = None
    asked: float | None = None
    pictures: float | None = None
    stored: float | None = None
    ended: float | None = None
    runs: int = 0


@dataclass(frozen=True)
class Watched:
    """The slots that were watched, one after the other, and what they left in the storage."""

    slots: list[SlotSeen]
    looks: Looks


def watch_slots(bench: Bench, count: int) -> Watched:
    """Watch so many slots, after a first one."""
    url = simulator_url()
    with running_stores(bench, "slots", tt_base_url=url) as settings:
        provision(settings)
        with running_simulator(settings) as simulator, _Watcher(settings) as watcher:
            with running_dagster(settings) as dagster_home:
                first = watcher.await_whole(FIRST_SECONDS)
                slots = [first + SLOT * number for number in range(1, count + 1)]
                _sleep_until(first + timedelta(seconds=SETTLED_SECONDS))
                before = look(dagster_home)
                for number, slot in enumerate(slots, 1):
                    bench.say(f"slots: {number} of {count}")
                    _sleep_until(slot + timedelta(seconds=SETTLED_SECONDS))
                after = look(dagster_home)
                # Now: the end of Dagster is that of all programs beside it.
                requests = simulator.requests()
            seen = _with_requests(watcher.noted(map(SlotSeen, slots)), requests)
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            seen, runs = _with_runs(seen, instance)
            return Watched(seen, _prune(instance, dagster_home, runs, before, after))


def _prune(
    instance: dg.DagsterInstance,
    dagster_home: Path,
    runs: Sequence[str],
    before: Storage,
    after: Storage,
) -> Looks:
    """Forget the runs as the pruning job does."""
    for run_id in runs:
        forget_run(instance, run_id)
    files = sum(after.files.get(run_id, 0) for run_id in runs)
    residue = rows_about(dagster_home, runs)
    return Looks(len(runs), files, before, after, look(dagster_home), residue)


class _Watcher(threading.Thread):
    """Notes when Redis has a slot."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="slots", daemon=True)
        self._redis: redis.Redis = connect(settings)
        self._stopped = threading.Event()
        self._pictures: dict[datetime, datetime] = {}
        self._stored: dict[datetime, datetime] = {}

    def run(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            self._note(self._pictures, [(key, "_event_time") for key in _SETS])
            self._note(self._stored, [(key, "last_event_time") for key in _STATUSES])

    def await_whole(self, seconds: float) -> datetime:
        """The first slot of which every kind is stored, as soon as it is.

        Raises:
            BenchmarkError: there is none in time.
        """
        deadline = time.monotonic() + seconds
        while not self._stored:
            if time.monotonic() > deadline:
                raise BenchmarkError(f"no slot was whole within {seconds:.0f} s")
            time.sleep(0.1)
        return max(self._stored)

    def noted(self, slots: Iterable[SlotSeen]) -> list[SlotSeen]:
        """The slots with when Redis had them."""
        return [
            replace(
                item,
                pictures=_offset(item.slot, self._pictures.get(item.slot)),
                stored=_offset(item.slot, self._stored.get(item.slot)),
            )
            for item in slots
        ]

    def _note(self, noted: dict[datetime, datetime], fields: Sequence[tuple[str, str]]) -> None:
        found = [cast("str | None", self._redis.hget(key, name)) for key, name in fields]
        if all(found):
            oldest = min(datetime.fromisoformat(cast("str", text)) for text in found)
            noted.setdefault(oldest.astimezone(UTC), datetime.now(UTC))

    def __enter__(self) -> "_Watcher":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()
        disconnect(self._redis)


def _with_requests(slots: Iterable[SlotSeen], asked: Iterable[Asked]) -> list[SlotSeen]:
    """The slots with when TT was first asked in their half minute."""
    first: dict[datetime, datetime] = {}
    for item in asked:
        if not item.path.startswith("/simulator/"):
            first.setdefault(slot_at(item.at), item.at)
    return [replace(item, asked=_offset(item.slot, first.get(item.slot))) for item in slots]


def _with_runs(
    slots: Sequence[SlotSeen], instance: dg.DagsterInstance
) -> tuple[list[SlotSeen], list[str]]:
    """The slots with what Dagster's books say of their runs, and the ids of these."""
    records: dict[datetime, list[dg.RunRecord]] = {item.slot: [] for item in slots}
    for record in instance.get_run_records(dg.RunsFilter(job_name=SLOT_JOB), ascending=True):
        slot = slot_of_text(record.dagster_run.tags[SLOT_TAG])
        if slot in records:
            records[slot].append(record)
    ids = [item.dagster_run.run_id for found in records.values() for item in found]
    return [_with_run(item, records[item.slot]) for item in slots], ids


def _with_run(item: SlotSeen, records: Sequence[dg.RunRecord]) -> SlotSeen:
    if not records:
        return item
    record = records[0]
    return replace(
        item,
        requested=_offset(item.slot, record.create_timestamp.astimezone(UTC)),
        started=_offset(item.slot, _moment(record.start_time)),
        ended=_offset(item.slot, _moment(record.end_time)),
        runs=len(records),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _offset(slot: datetime, moment: datetime | None) -> float | None:
    return None if moment is None else (moment - slot).total_seconds()


def _sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))
