"""Pruning of Dagster's storage: old runs of our own kinds go, with their events.

The newest materialisation of every hour partition that such a run made is reported once more,
without a run, before the run goes: the partition stays materialised in the UI, at the price of one
event an asset and hour. Ticks are pruned by `retention` in dagster.yaml.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import dagster as dg

from trade_assets.defs.shared.names import (
    HOUR_RUNS,
    MAINTENANCE_JOB,
    MAINTENANCE_RUNS,
    REBUILD_RUNS,
    REPORT_RUNS,
    RUN_KIND_TAG,
    SLOT_RUNS,
    STREAM_RUNS,
)
from trade_assets.settings import Settings

RUNS_A_GO: Final = 400
"""Runs of a kind deleted by one maintenance run at most; it comes back every hour, in which 120
slots make a run each. What piled up while it could not run is gone after a few of its runs."""

REPORTS_KEPT_HOURS: Final = 7 * 24.0
"""A failed report is all that shows an incomplete hour red; 24 a day are few."""

_FINISHED: Final = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


def prune_runs(instance: dg.DagsterInstance, settings: Settings) -> dict[str, int]:
    """Delete old finished runs; how many of each kind went."""
    now, gone = datetime.now(UTC), {}
    for kind, hours in kept_hours(settings).items():
        records = instance.get_run_records(
            dg.RunsFilter(
                tags={RUN_KIND_TAG: kind},
                statuses=_FINISHED,
                created_before=now - timedelta(hours=hours),
            ),
            limit=RUNS_A_GO,
            ascending=True,
        )
        for record in records:
            forget_run(instance, record.dagster_run.run_id)
        gone[kind] = len(records)
    return gone


def kept_hours(settings: Settings) -> dict[str, float]:
    """How long finished runs are kept, by their kind."""
    kept = settings.retention
    return {
        STREAM_RUNS: kept.runs_kept_hours,
        HOUR_RUNS: kept.runs_kept_hours,
        MAINTENANCE_RUNS: kept.runs_kept_hours,
        REBUILD_RUNS: REPORTS_KEPT_HOURS,
        SLOT_RUNS: kept.slot_runs_kept_hours,
        REPORT_RUNS: REPORTS_KEPT_HOURS,
    }


def forget_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run, its events and its captured logs; its lineage stays."""
    keep_lineage(instance, run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    instance.delete_run(run_id)
    # The SQLite storage empties a run's file and leaves it, at its full size; on other storages
    # there is none.
    events = Path(instance.root_directory) / "history" / "runs" / f"{run_id}.db"
    events.unlink(missing_ok=True)


def keep_lineage(instance: dg.DagsterInstance, run_id: str) -> None:
    """Report the run's last materialisation of each asset partition again, without the run.

    Only where it is the newest one of that partition: a later one speaks for itself.
    """
    last: dict[tuple[dg.AssetKey, str | None], dg.AssetMaterialization] = {}
    for record in instance.get_records_for_run(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records:
        event = record.event_log_entry.asset_materialization
        if event is not None:
            last[event.asset_key, event.partition] = event
    for (asset_key, partition), event in last.items():
        if _is_newest(instance, asset_key, partition, run_id):
            instance.report_runless_asset_event(event)


def _is_newest(
    instance: dg.DagsterInstance,
    asset_key: dg.AssetKey,
    partition: str | None,
    run_id: str,
) -> bool:
    filters = dg.AssetRecordsFilter(
        asset_key=asset_key, asset_partitions=[partition] if partition else None
    )
    records = instance.fetch_materializations(filters, limit=1).records
    return bool(records) and records[0].run_id == run_id


def prune_job(settings: Settings) -> dg.JobDefinition:
    """The maintenance job."""

    @dg.op(
        out=dg.Out(dg.Nothing),
        description="Deletes finished runs older than the settings keep them, keeping lineage.",
    )
    def prune(context: dg.OpExecutionContext) -> None:
        for kind, count in prune_runs(context.instance, settings).items():
            context.log.info(f"{count} runs of kind {kind} deleted")

    @dg.job(
        name=MAINTENANCE_JOB,
        executor_def=dg.in_process_executor,
        tags={RUN_KIND_TAG: MAINTENANCE_RUNS},
        description="Keeps Dagster's own storage bounded.",
    )
    def prune_dagster_storage() -> None:
        prune()

    return prune_dagster_storage


def prune_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """When the job runs."""
    return dg.ScheduleDefinition(
        name="prune_dagster_storage_hourly",
        job=job,
        cron_schedule="47 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
