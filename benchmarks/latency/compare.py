"""The latency figure: three ways beside each other, ratios, goals, and what was late."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from benchmarks.figures import BenchmarkError, Figure, Goal, Table, percentile
from benchmarks.latency.observe import JITTER, LATE_SECONDS, Landing
from benchmarks.latency.ways import PACE_SECONDS, WARM_UP_FILES, Carried, raw_loop, stock, stream
from benchmarks.parts import Bench
from benchmarks.samples import Sample, samples, sizes
from trade_assets.settings import StreamSettings

STOCK_NAMES = {
    "stock_eager": "stock Dagster, sensor every 5 s",
    "stock_default": "stock Dagster, sensor's default (30 s)",
}
ROLLOVER_NEIGHBOURS = 5


@dataclass(frozen=True)
class Summary:
    """Latencies of one way in seconds; percentiles are of the files that were seen.

    The medians of the first and the last third tell whether it was falling behind.
    """

    put: int
    seen: int
    p50: float
    p99: float
    worst: float
    by_newer: int
    late: list[str]
    first_third: float
    last_third: float


def summarise(landings: Sequence[Landing]) -> Summary:
    """Summary of at least one file that was seen.

    Raises:
        BenchmarkError: none was.
    """
    latencies = [item.latency for item in landings if item.latency is not None]
    if not latencies:
        raise BenchmarkError(f"none of {len(landings)} files was readable in time")
    third = math.ceil(len(latencies) / 3)
    late = [item.key for item in landings if item.latency is None or item.latency > LATE_SECONDS]
    return Summary(
        put=len(landings),
        seen=len(latencies),
        p50=percentile(latencies, 50),
        p99=percentile(latencies, 99),
        worst=max(latencies),
        by_newer=sum(item.by_newer for item in landings),
        late=late,
        first_third=percentile(latencies[:third], 50),
        last_third=percentile(latencies[-third:], 50),
    )


def measure(bench: Bench) -> Figure:
    """Landed → readable in Redis: raw loop, stream, stock Dagster."""
    files = samples(WARM_UP_FILES + round(bench.scale.latency_seconds / PACE_SECONDS))
    bench.say(f"latency: raw loop, {bench.scale.latency_seconds:.0f} s")
    raw = summarise(raw_loop(bench, files).landings)
    bench.say(f"latency: stream under Dagster, {bench.scale.latency_seconds:.0f} s")
    carried = stream(bench, files)
    ours = summarise(carried.landings)
    figure = Figure("latency", "Landed (PUT acknowledged) → readable in Redis")
    stock_files = files[: 1 + bench.scale.stock_files]
    stocks = {}
    for pipeline in bench.scale.stock_pipelines:
        bench.say(f"latency: {STOCK_NAMES[pipeline]}, {bench.scale.stock_files} files")
        stocks[STOCK_NAMES[pipeline]] = summarise(stock(bench, stock_files, pipeline).landings)
    figure.tables = [_table(raw, ours, stocks)]
    figure.goals = _goals(raw, ours, stocks)
    figure.notes = [*_notes(bench, files[WARM_UP_FILES:]), _greeks_note(carried)]
    figure.notes += _rollover_notes(carried)
    figure.notes += [_drift_note(name, summary) for name, summary in stocks.items()]
    for name, summary in {"raw loop": raw, "stream": ours, **stocks}.items():
        figure.notes += _late_note(name, summary)
    figure.data = {
        "raw": vars(raw),
        "stream": {**vars(ours), **_rollover_data(carried), "greeks": asdict(carried.greeks)},
        "stock": {name: vars(summary) for name, summary in stocks.items()},
    }
    return figure


def _table(raw: Summary, ours: Summary, stocks: dict[str, Summary]) -> Table:
    columns = ("way", "files", "seen", "p50 ms", "p99 ms", "max ms", "p50 / raw", "p50 / stream")
    ways = {"raw loop, no Dagster": raw, "stream (this platform)": ours, **stocks}
    return Table(columns, [_row(name, item, raw, ours) for name, item in ways.items()])


def _row(name: str, item: Summary, raw: Summary, ours: Summary) -> tuple[str, ...]:
    times = (f"{value * 1000:,.1f}" for value in (item.p50, item.p99, item.worst))
    ratios = (f"{item.p50 / raw.p50:,.2f}", f"{item.p50 / ours.p50:,.2f}")
    return (name, f"{item.put}", f"{item.seen}", *times, *ratios)


def _goals(raw: Summary, ours: Summary, stocks: dict[str, Summary]) -> list[Goal]:
    p50, p99 = ours.p50 / raw.p50, ours.p99 / raw.p99
    goals = [
        Goal("p50 at most 1.3x the raw loop", f"{p50:.2f}x", p50 <= 1.3),
        Goal("p99 at most 2x the raw loop", f"{p99:.2f}x", p99 <= 2.0),
    ]
    for name, item in stocks.items():
        by_p50, by_p99 = item.p50 / ours.p50, item.p99 / ours.p99
        measured = f"p50 {by_p50:,.0f}x, p99 {by_p99:,.0f}x"
        goals.append(Goal(f"50x better than {name}", measured, min(by_p50, by_p99) >= 50))
    return goals


def _notes(bench: Bench, files: list[Sample]) -> list[str]:
    scale = bench.scale
    return [
        f"{sizes(files)}; one every {PACE_SECONDS:g} s for {scale.latency_seconds:.0f} s, each put "
        f"at a random moment of the first {JITTER:.0%} of its second; same files, putter, reader.",
        f"Stock gets the first {scale.stock_files} of them, and only one every "
        f"{scale.stock_pace_seconds:g} s, to its advantage: every run of it starts two processes.",
        f"{WARM_UP_FILES} files before the measured ones (stock: 1) are not counted. A file is "
        "readable when its rows, or those of a newer file, are announced in the update stream; "
        "percentiles are nearest ranks over the files that were seen.",
        "Raw loop: one long poll, boto3, one SET a row, into Redis only. Stream: "
        f"{StreamSettings.model_fields['receivers'].default} long polls, guarded writes into "
        "Redis, then DynamoDB and ledger. The stand-in looks into its queue every 100 ms of a "
        "long poll: a file may wait so long for one poll, and less for several side by side.",
    ]


def _greeks_note(carried: Carried) -> str:
    return (
        "Only the stream also derives Greeks, of every micro-batch's newest picture and into both "
        "stores, after its rows are readable and in the same process: "
        f"{carried.greeks.records:,} records, first files included, of which "
        f"{carried.greeks.solved:,} have a solution. "
        "The times to expiry that they need are in Redis before."
    )


def _late_note(name: str, item: Summary) -> list[str]:
    notes = []
    if item.late:
        listed = ", ".join(key.rsplit("/", 1)[-1] for key in item.late[:20])
        more = f" and {len(item.late) - 20} more" if len(item.late) > 20 else ""
        notes.append(f"{name}: not readable within {LATE_SECONDS:.0f} s: {listed}{more}.")
    if item.by_newer:
        notes.append(
            f"{name}: {item.by_newer} files were first readable together with a newer one."
        )
    return notes


def _drift_note(name: str, item: Summary) -> str:
    return (
        f"{name}: median of the first third of the files {item.first_third:,.1f} s, of the last "
        f"third {item.last_third:,.1f} s."
    )


def _rollover_data(carried: Carried) -> dict[str, Any]:
    """Files by run, and the worst latency around each hand-over (indices of landings)."""
    order = list(dict.fromkeys(carried.runs))
    handovers = []
    for before, after in pairwise(order):
        first = carried.runs.index(after)
        last = len(carried.runs) - 1 - carried.runs[::-1].index(before)
        span = slice(
            max(min(first, last) - ROLLOVER_NEIGHBOURS, 0), max(first, last) + ROLLOVER_NEIGHBOURS
        )
        latencies = [item.latency for item in carried.landings[span]]
        worst = max((value for value in latencies if value is not None), default=None)
        handovers.append({"first_file": first, "overlap_until": last, "worst": worst})
    return {
        "window_seconds": carried.window_seconds,
        "files_by_run": [carried.runs.count(run) for run in order],
        "handovers": handovers,
    }


def _rollover_notes(carried: Carried) -> list[str]:
    data = _rollover_data(carried)
    shares = " + ".join(str(count) for count in data["files_by_run"])
    if not data["handovers"]:
        return [f"NO ROLLOVER took place: one stream run took all {shares} files."]
    worst = max(item["worst"] for item in data["handovers"])
    at = ", ".join(str(item["first_file"]) for item in data["handovers"])
    return [
        f"Stream runs, with a window of {carried.window_seconds:g} s: {len(data['files_by_run'])}, "
        f"which took {shares} files; a successor's first was file {at}. Worst latency around a "
        f"hand-over: {worst * 1000:,.1f} ms. Every file is in the ledger as stored, all rows.",
    ]
