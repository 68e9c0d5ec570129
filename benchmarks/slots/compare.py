"""The figure of the slots: tables, goals, and how what is extrapolated was extrapolated."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Final

from benchmarks.figures import BenchmarkError, Figure, Goal, Row, Table, percentile
from benchmarks.parts import Bench
from benchmarks.slots.punctual import SlotSeen, watch_slots
from benchmarks.slots.snapshot import Timed, time_snapshots
from benchmarks.slots.storage import OTHERS, OURS, SLOTS_A_DAY, Growth, Looks, growth
from trade_assets.local.dagster_home import INSTANCE
from trade_assets.settings import load_settings
from trade_assets.tt.formats.slot_times import SLOT

ON_THE_SLOT_SECONDS: Final = 0.5
GOAL: Final = f"every run requested within {ON_THE_SLOT_SECONDS:g} s of its slot"
OWNERS: Final = (OURS, OTHERS)
_KB: Final = 1_000
_MB: Final = 1_000_000


def measure(bench: Bench) -> Figure:
    """Slots under Dagster first, then one large snapshot."""
    count = max(1, math.floor(bench.scale.slots_seconds / SLOT.total_seconds()))
    watched = watch_slots(bench, count)
    added = storage_growth(watched.looks, len(watched.slots))
    timed = time_snapshots(bench)
    figure = Figure("slots", f"TT snapshots: {count} slots, one every {SLOT.seconds} s")
    figure.tables = [
        _punctuality(watched.slots),
        _durations(timed),
        storage_table(added),
    ]
    figure.goals = [*punctuality_goals(watched.slots), _duration_goal(timed)]
    figure.notes = [*_punctuality_notes(), *_duration_notes(timed), *_storage_notes(added)]
    figure.data = {
        "slots": [asdict(item) for item in watched.slots],
        "snapshot": {"ceiling": asdict(timed.ceiling), "rounds": _round_data(timed)},
        "storage": {
            **asdict(added),
            "ticks": {" ".join(kind): size for kind, size in added.ticks.items()},
        },
    }
    return figure


def _punctuality(slots: Sequence[SlotSeen]) -> Table:
    steps: dict[str, Callable[[SlotSeen], float | None]] = {
        "run requested": lambda item: item.requested,
        "run's process at work": lambda item: item.started,
        "first request to TT": lambda item: item.asked,
        "orders and positions readable in Redis": lambda item: item.pictures,
        "all kinds in Redis and DynamoDB": lambda item: item.stored,
        "run ended": lambda item: item.ended,
    }
    rows = [_offsets(name, [step(item) for item in slots]) for name, step in steps.items()]
    return Table(("what, after the slot", "slots", "p50 s", "max s"), rows, "Punctuality")


def _offsets(name: str, offsets: Sequence[float | None]) -> Row:
    there = [offset for offset in offsets if offset is not None]
    if not there:
        return (name, "0", "", "")
    return (name, f"{len(there)}", f"{percentile(there, 50):.3f}", f"{max(there):.3f}")


def _durations(timed: Timed) -> Table:
    plain = statistics.median(item.plain.seconds for item in timed.rounds)
    floor = plain + timed.ceiling.seconds
    ways = {
        "snapshot, everything new": statistics.median(r.first.seconds for r in timed.rounds),
        "the same without the limit a second": statistics.median(
            r.unpaced.seconds for r in timed.rounds
        ),
        "snapshot of the slot after it": statistics.median(r.second.seconds for r in timed.rounds),
        "plain loop of the same requests": plain,
        "the same items at DynamoDB's ceiling": timed.ceiling.seconds,
        "plain loop and ceiling, one after the other": floor,
    }
    rows: list[Row] = [
        (name, f"{seconds:.2f}", f"{seconds / plain:.2f}", f"{seconds / floor:.2f}")
        for name, seconds in ways.items()
    ]
    columns = ("what", "s", "/ plain loop", "/ loop and ceiling")
    return Table(columns, rows, "A large snapshot")


def storage_table(added: Growth) -> Table:
    files, books = added.files * added.runs_kept, added.books * added.runs_kept
    sizes: dict[str, tuple[float, float]] = {
        "run: own files": (added.files, files),
        "run: rows and events in the books": (added.books, books),
        **{f"ticks {who}": (added.ticks_of(who), added.ticks_at_rest(who)) for who in OWNERS},
    }
    sizes["together"] = (
        sum(size for size, _ in sizes.values()),
        sum(size for _, size in sizes.values()),
    )
    rows: list[Row] = [
        (
            what,
            f"{size / _KB:.1f}",
            f"{size * SLOTS_A_DAY / _MB:.1f}",
            f"{at_rest / _MB:.1f}",
        )
        for what, (size, at_rest) in sizes.items()
    ]
    left = f"{added.left_by_hour * 24 / _MB:.1f}"
    rows.append(("events that stay after pruning", "", left, "without end"))
    columns = ("what", "kB a slot", "MB a day", "MB at rest")
    return Table(columns, rows, "Dagster's storage (SQLite)")


def punctuality_goals(slots: Sequence[SlotSeen]) -> list[Goal]:
    """Whether every slot was requested on time and once, and stored."""
    offsets = [item.requested for item in slots if item.requested is not None]
    missed = sum(item.stored is None for item in slots)
    twice = sum(item.runs > 1 for item in slots)
    measured = f"at most {max(offsets):.3f} s" if offsets else "no run at all"
    on_time = len(offsets) == len(slots) and max(offsets) <= ON_THE_SLOT_SECONDS
    return [
        Goal(GOAL, measured, on_time),
        Goal("no slot missed, none twice", f"{missed} and {twice}", not missed and not twice),
    ]


def _duration_goal(timed: Timed) -> Goal:
    deadline = load_settings().tt.deadline_seconds
    longest = max(item.first.seconds for item in timed.rounds)
    text = f"a large snapshot within the {deadline:g} s that its calls may take"
    return Goal(text, f"at most {longest:.2f} s", longest <= deadline)


def _punctuality_notes() -> list[str]:
    return [
        "Dagster's daemon and code server, stream run alive, no desk; a simulated TT of the lowest "
        "tier in a process of its own. The first slot is not counted. When a run was requested is "
        "in Dagster's books, when TT was asked in the simulator's, and Redis is looked at every "
        "10 ms; percentiles are nearest ranks.",
    ]


def _duration_notes(timed: Timed) -> list[str]:
    sample = timed.rounds[0]
    kinds = {kind: result.rows for kind, result in sample.first.kinds.items()}
    rows = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
    calls, plain = sample.first.calls, sample.plain
    ceiling = timed.ceiling
    return [
        f"A large snapshot: {rows}, {calls['attempts']:.0f} requests (a token among them), "
        f"{plain.bytes / _MB:.1f} MB of answers; median of {len(timed.rounds)} rounds, each into "
        "empty stores and a fresh chain of fills. The slot after it asks for the same orders and "
        "positions again, for no new fill, and for no instrument.",
        f"The limit is {timed.per_second} requests a second (tier {timed.tier.value}); without it "
        "shows what it costs. The simulator itself allows any number.",
        f"Plain loop: urllib3 and json.loads, {plain.requests} requests one after the other, "
        "nothing kept. Ceiling: the very items of the snapshot, BatchWriteItem, bodies made "
        f"before, {ceiling.concurrency} at a time: {ceiling.items:,} items, "
        f"{ceiling.items_per_second:,.0f} a second. The snapshot also puts raw documents and "
        "writes Redis.",
    ]


def _storage_notes(added: Growth) -> list[str]:
    days = ", ".join(f"{status} {days:g} d" for status, days in added.tick_days.items())
    return [
        f"Dagster's storage: measured over {added.slots} slots between two looks 20 s after a "
        f"slot, extrapolated linearly to the {SLOTS_A_DAY:,} runs of a day. Pages in use of the "
        "databases, and whole files; pages of ticks are shared out by the bytes of their contents.",
        f"At rest, with pruning on: {added.runs_kept:,.0f} runs of slots (kept "
        f"{load_settings().retention.slot_runs_kept_hours:g} h, pruned once an hour, so half an "
        f"hour's more on average), ticks as `retention` keeps them ({days}).",
        "Left after pruning: the measured runs were pruned in the end. "
        f"{added.rows_left:g} rows about each stayed in the books, and "
        f"{added.left_by_hour / _KB:.1f} kB of events of the hour: the newest one of each asset's "
        "partition, which keeps the lineage; taken times the 24 hours of a day.",
    ]


def storage_growth(looks: Looks, slots: int) -> Growth:
    """What these slots added, with the retention of the settings' defaults.

    Raises:
        BenchmarkError: no run was seen.
    """
    if not looks.runs:
        raise BenchmarkError("no slot had a run")
    days = INSTANCE["retention"]["sensor"]["purge_after_days"]
    return growth(
        looks,
        slots=slots,
        kept_hours=load_settings().retention.slot_runs_kept_hours,
        tick_days={status: float(number) for status, number in days.items()},
    )


def _round_data(timed: Timed) -> list[dict[str, object]]:
    return [
        {
            "seconds": item.first.seconds,
            "next_seconds": item.second.seconds,
            "unpaced_seconds": item.unpaced.seconds,
            "plain_seconds": item.plain.seconds,
            "calls": dict(item.first.calls),
            "rows": {kind: result.rows for kind, result in item.first.kinds.items()},
        }
        for item in timed.rounds
    ]
