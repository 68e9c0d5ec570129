"""Definitions with one endless run, for tests of what surrounds Dagster rather than of assets."""

import os
import time
from pathlib import Path

import dagster as dg


def _note(name: str) -> None:
    (Path(os.environ["TRADE_ASSETS_HOME"]) / name).write_text(str(os.getpid()))


@dg.op
def until_interrupted() -> None:
    """Note that it runs, and when it is asked to end, that it did."""
    _note("run-started")
    try:
        while True:
            time.sleep(0.1)
    finally:
        _note("run-ended")


@dg.job(executor_def=dg.in_process_executor)
def endless() -> None:
    """Runs until somebody ends it."""
    until_interrupted()


@dg.sensor(job=endless, minimum_interval_seconds=5, default_status=dg.DefaultSensorStatus.RUNNING)
def once() -> dg.RunRequest:
    """Requests the run at the first tick, and never again."""
    return dg.RunRequest(run_key="once")


defs = dg.Definitions(jobs=[endless], sensors=[once])
