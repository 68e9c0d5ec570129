"""Keeps exactly one stream run alive: a successor before a window ends, a new one after a death.

Dagster's launcher never notices that a run's process died, so the heartbeat decides who is alive.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import dagster as dg

from trade_assets.defs.shared.dagster_terms import UNFINISHED
from trade_assets.defs.shared.names import STREAM_JOB
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.settings import Settings

START_GRACE_SECONDS: Final = 30.0
"""How long a run may take from its creation to its first heartbeat."""


@dataclass(frozen=True)
class StreamRun:
    """A stream run that Dagster holds for unfinished."""

    run_id: str
    created_at: float
    canceling: bool = False


@dataclass
class Decision:
    """What to do about the stream: whether to request a run, which runs are dead, and why."""

    request: bool = False
    dead: list[str] = field(default_factory=list)
    reason: str = ""


def decide(
    settings: Settings, beats: Sequence[StreamBeat], runs: Sequence[StreamRun], now: float
) -> Decision:
    """Decide by heartbeats and unfinished runs; `now` in epoch seconds. Pure."""
    beating = {beat.run_id for beat in beats}
    silent = [run for run in runs if run.run_id not in beating]
    dead = [run.run_id for run in silent if now - run.created_at > START_GRACE_SECONDS]
    starting = [run for run in silent if run.run_id not in dead and not run.canceling]
    consuming = [beat for beat in beats if beat.consuming]
    if starting:
        return Decision(dead=dead, reason=f"stream run {starting[0].run_id[:8]} is starting")
    if not consuming:
        return Decision(request=True, dead=dead, reason="no stream run is alive")
    left = max(beat.window_ends_at for beat in consuming) - now
    if left <= settings.stream.rollover_lead_seconds:
        return Decision(request=True, dead=dead, reason=f"window ends in {max(left, 0):.0f} s")
    return Decision(dead=dead, reason=f"stream run alive, window ends in {left:.0f} s")


def unfinished_stream_runs(instance: dg.DagsterInstance) -> list[StreamRun]:
    """Stream runs that Dagster holds for queued, starting, running or being terminated."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=STREAM_JOB, statuses=UNFINISHED), limit=20
    )
    return [
        StreamRun(
            record.dagster_run.run_id,
            record.create_timestamp.timestamp(),
            record.dagster_run.status is dg.DagsterRunStatus.CANCELING,
        )
        for record in records
    ]


def keep_stream(
    instance: dg.DagsterInstance, settings: Settings, beats: Sequence[StreamBeat]
) -> Decision:
    """Decide, and end the dead runs in Dagster's books."""
    decision = decide(settings, beats, unfinished_stream_runs(instance), time.time())
    for run_id in decision.dead:
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(
                run, "The run's process is gone: it sent no heartbeat. The stream was restarted."
            )
    return decision
