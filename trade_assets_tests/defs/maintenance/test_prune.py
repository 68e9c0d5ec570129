"""Pruning of Dagster's storage on a real instance: what goes, and what stays visible."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from trade_assets.definitions import build_definitions
from trade_assets.defs.maintenance.prune import RUNS_A_GO, forget_run, kept_hours
from trade_assets.defs.shared.names import MAINTENANCE_JOB
from trade_assets.settings import load_settings
from trade_assets.tt.formats.slot_times import SLOTS_AN_HOUR

KEY = dg.AssetKey(["actant", "spot_risk", "latest"])
HOURS = ("2025-07-17-19:00", "2025-07-17-20:00")


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def materialise(instance: dg.DagsterInstance, files: int) -> str:
    """A run that reports both hours, as the stream run does; its id."""

    @dg.op(out=dg.Out(dg.Nothing))
    def report() -> Iterator[object]:
        print("captured")  # noqa: T201
        for hour in HOURS:
            yield dg.AssetMaterialization(KEY, partition=hour, metadata={"files": files})
        yield dg.Output(None)

    @dg.job
    def stream() -> None:
        report()

    return stream.execute_in_process(instance=instance).run_id


def newest(instance: dg.DagsterInstance, hour: str) -> dg.EventLogRecord:
    filters = dg.AssetRecordsFilter(asset_key=KEY, asset_partitions=[hour])
    return instance.fetch_materializations(filters, limit=1).records[0]


def files_of(record: dg.EventLogRecord) -> object:
    event = record.asset_materialization
    assert event is not None
    return event.metadata["files"].value


def test_the_newest_materialisation_of_a_partition_outlives_its_run(
    instance: dg.DagsterInstance,
) -> None:
    old, young = materialise(instance, 1), materialise(instance, 2)
    forget_run(instance, young)
    assert instance.get_run_by_id(young) is None
    for hour in HOURS:
        assert files_of(newest(instance, hour)) == 2
        assert newest(instance, hour).run_id != young
    forget_run(instance, old)
    for hour in HOURS:
        assert files_of(newest(instance, hour)) == 2


def test_what_a_later_run_has_said_is_not_said_again(instance: dg.DagsterInstance) -> None:
    old = materialise(instance, 1)
    materialise(instance, 2)
    forget_run(instance, old)
    filters = dg.AssetRecordsFilter(asset_key=KEY)
    records = instance.fetch_materializations(filters, limit=10).records
    assert [files_of(record) for record in records] == [2, 2]


def test_captured_logs_and_event_files_go_with_their_run(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run_id = materialise(instance, 1)
    assert [path for path in tmp_path.rglob("*") if run_id in str(path)]
    forget_run(instance, run_id)
    assert not [path for path in tmp_path.rglob("*") if run_id in str(path)]


@pytest.mark.parametrize(("kept_hours", "left"), [(1e-9, 0), (1.0, 1)])
def test_the_job_deletes_only_what_is_old_enough(
    instance: dg.DagsterInstance, kept_hours: float, left: int
) -> None:
    definitions = build_definitions(settings=load_settings(runs_kept_hours=kept_hours))
    job = definitions.resolve_job_def(MAINTENANCE_JOB)
    first = job.execute_in_process(instance=instance).run_id
    assert job.execute_in_process(instance=instance).success
    kept = instance.get_run_by_id(first)
    assert (kept is not None) == bool(left)


def test_runs_of_slots_are_kept_shorter_and_never_pile_up() -> None:
    kept = kept_hours(load_settings(runs_kept_hours=24, slot_runs_kept_hours=6))
    assert kept == {
        "stream": 24, "hours": 24, "maintenance": 24, "slot": 6, "report": 7 * 24,
        "rebuild": 7 * 24,
    }  # fmt: skip
    assert RUNS_A_GO > 2 * SLOTS_AN_HOUR
