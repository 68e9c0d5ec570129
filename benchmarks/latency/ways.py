"""The three ways that are compared. Each starts what it needs, and gives the landings."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.derived_greeks import GreeksWritten, greeks_written, show_expiries
from benchmarks.latency.observe import Landing, put_and_watch
from benchmarks.ledger_lines import await_stored
from benchmarks.parts import Bench, running_dagster, running_program, running_stores
from benchmarks.samples import Sample
from benchmarks.stream import running_stream
from trade_assets.settings import Settings, StreamSettings
from trade_assets.stores.provision import provision

WARM_UP_FILES: Final = 3
"""Put before the measured ones: nobody's first file counts."""
PACE_SECONDS: Final = 1.0
NO_GREEKS: Final = GreeksWritten(0, 0)
WAIT_SECONDS: Final = 60.0
STOCK_WAIT_SECONDS: Final = 240.0


@dataclass
class Carried:
    """What one way did with its files; the stream also says which run took each of them, and which
    Greeks it derived."""

    landings: list[Landing]
    runs: list[str] = field(default_factory=list)
    window_seconds: float | None = None
    greeks: GreeksWritten = NO_GREEKS


def raw_loop(bench: Bench, files: list[Sample]) -> Carried:
    """One process, one thread, plain boto3 and redis-py."""
    with running_stores(bench, "latency-raw") as settings:
        provision(settings)
        with running_program(settings, "benchmarks.latency.raw"):
            return Carried(_watch(settings, files, PACE_SECONDS, WAIT_SECONDS))


def stream(bench: Bench, files: list[Sample]) -> Carried:
    """The platform: a stream run under Dagster, with a rollover in the middle.

    Raises:
        BenchmarkError: at the end a file is not accounted for as stored with all its rows.
    """
    window = bench.scale.latency_seconds * bench.scale.window_share
    default = StreamSettings.model_fields["rollover_lead_seconds"].default
    lead = min(float(default), window / 2)
    with running_stores(
        bench, "latency-stream", window_seconds=window, rollover_lead_seconds=lead
    ) as settings:
        provision(settings)
        show_expiries(settings)
        with running_stream(settings):
            landings = _watch(settings, files, PACE_SECONDS, WAIT_SECONDS)
            put = zip(landings, files[WARM_UP_FILES:], strict=True)
            rows = {landing.key: file.rows for landing, file in put}
            lines = await_stored(settings, rows, WAIT_SECONDS)
        runs = [lines[item.key]["run_id"] for item in landings]
        return Carried(landings, runs, window, greeks_written(settings))


def stock(bench: Bench, files: list[Sample], pipeline: str) -> Carried:
    """Stock Dagster, with the definitions of a module of this package; the first file warms up."""
    module = f"benchmarks.latency.{pipeline}"
    with running_stores(bench, f"latency-{pipeline}") as settings:
        provision(settings)
        with running_dagster(settings, module, _stock_home):
            pace = bench.scale.stock_pace_seconds
            warm_up, measured = files[:1], files[1:]
            wait = STOCK_WAIT_SECONDS
            return Carried(put_and_watch(settings, warm_up, measured, pace, wait))


def _watch(settings: Settings, files: list[Sample], pace: float, wait: float) -> list[Landing]:
    return put_and_watch(settings, files[:WARM_UP_FILES], files[WARM_UP_FILES:], pace, wait)


def _stock_home(home: Path) -> Path:
    """Dagster's home with an instance of nothing but defaults; only its telemetry is off."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(json.dumps({"telemetry": {"enabled": False}}))
    return folder
