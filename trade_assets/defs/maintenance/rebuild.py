"""Rebuilding an emptied Redis: the job, and the sensor that notices the loss and requests it.

What is rebuilt, and in which order, is `ingest.rebuilding`'s matter. A rebuild that dies says
nothing any more, and is begun again; so is one that failed, after a pause.
"""

import time
from typing import Final

import dagster as dg

from trade_assets.defs.shared.dagster_terms import UNFINISHED
from trade_assets.defs.shared.names import REBUILD_JOB, REBUILD_RUNS, REBUILD_SENSOR, RUN_KIND_TAG
from trade_assets.errors import TradeAssetsError
from trade_assets.ingest.rebuilding import PROGRESS_SECONDS, Progress, RebuildBoard, rebuild_redis
from trade_assets.ingest.redis_life import LifeState, RedisLife
from trade_assets.logs import configure_run
from trade_assets.stores.connections import Connections

SAID_EVERY_SECONDS: Final = 2.0
"""Lines of progress in the log of a run: 10 hours may be done in a second, or one in a minute."""

AGAIN_AFTER_SECONDS: Final = 60.0
"""Pause after a rebuild that failed."""


def rebuild_job(connections: Connections) -> dg.JobDefinition:
    """The job, over connections that outlast a store's absence."""

    @dg.op(
        out=dg.Out(dg.Nothing),
        description="Puts back into Redis what bucket and history keep, newest first.",
    )
    def rebuild(context: dg.OpExecutionContext) -> None:
        configure_run(connections.settings, context.run_id)
        began = said = time.monotonic()

        def say(progress: Progress) -> None:
            nonlocal said
            if time.monotonic() - said >= SAID_EVERY_SECONDS:
                said = time.monotonic()
                context.log.info(progress.text)

        done = rebuild_redis(connections, say)
        context.log.info(f"{done.text}: all of it, in {time.monotonic() - began:.1f} s")
        context.add_output_metadata({"hours": done.total, "records": done.records})

    @dg.job(
        name=REBUILD_JOB,
        executor_def=dg.in_process_executor,
        tags={RUN_KIND_TAG: REBUILD_RUNS},
        description="Rebuilds Redis; the sensor requests it when Redis has lost its data.",
    )
    def redis_rebuild() -> None:
        rebuild()

    return redis_rebuild


def rebuild_sensor(connections: Connections, job: dg.JobDefinition) -> dg.SensorDefinition:
    """The sensor, over connections that do not wait for a store that is away."""

    @dg.sensor(
        name=REBUILD_SENSOR,
        job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Compares the marks of Redis with the one beside the ledger.",
    )
    def redis_life(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        try:
            reason = _look(connections, context.instance)
        except TradeAssetsError as error:
            return dg.SensorResult(skip_reason=str(error))
        if reason:
            return dg.SensorResult(skip_reason=reason)
        return dg.SensorResult(run_requests=[dg.RunRequest()])

    return redis_life


def _look(connections: Connections, instance: dg.DagsterInstance) -> str:
    """Why nothing is to be rebuilt; empty: it is."""
    life = RedisLife(connections.settings, connections.redis, connections.dynamodb)
    state = life.look()
    if state is LifeState.NEW:
        life.begin()
        return "Redis is marked now"
    if state is LifeState.KEPT:
        return "Redis has all its marks"
    if _under_way(connections, instance):
        return "Redis is being rebuilt"
    return _pause(instance)


def _under_way(connections: Connections, instance: dg.DagsterInstance) -> bool:
    """Whether somebody rebuilds; runs that have died are ended in Dagster's books."""
    if RebuildBoard(connections.redis).read() is not None:
        return True
    alive = False
    for record in _records(instance, UNFINISHED):
        if time.time() - record.create_timestamp.timestamp() < PROGRESS_SECONDS:
            alive = True
        else:
            instance.report_run_failed(
                record.dagster_run,
                "The run's process is gone: it said nothing any more. It is begun again.",
            )
    return alive


def _pause(instance: dg.DagsterInstance) -> str:
    for record in _records(instance, [dg.DagsterRunStatus.FAILURE]):
        since = time.time() - (record.end_time or 0.0)
        if since < AGAIN_AFTER_SECONDS:
            return f"the last rebuild failed {since:.0f} s ago"
    return ""


def _records(
    instance: dg.DagsterInstance, statuses: list[dg.DagsterRunStatus]
) -> "list[dg.RunRecord]":
    filters = dg.RunsFilter(job_name=REBUILD_JOB, statuses=statuses)
    return list(instance.get_run_records(filters, limit=5))
