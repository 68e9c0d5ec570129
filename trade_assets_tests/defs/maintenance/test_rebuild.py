"""The sensor that notices an emptied Redis, and the job that rebuilds it, on a real instance."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from trade_assets.definitions import build_definitions
from trade_assets.defs.maintenance import rebuild
from trade_assets.defs.maintenance.rebuild import rebuild_job, rebuild_sensor
from trade_assets.defs.shared.names import REBUILD_JOB
from trade_assets.ingest.rebuilding import Progress, RebuildBoard
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import SPOT, raw_redis, spot_bytes, spot_key
from trade_assets_tests.support.stores import Stores


class Watch:
    """Evaluates the sensor, and runs what it requests, as the daemon does."""

    def __init__(self, stores: Stores, instance: dg.DagsterInstance) -> None:
        self.stores = stores
        self.instance = instance
        self.job = rebuild_job(stores.connections)
        self.sensor = rebuild_sensor(stores.connections, self.job)

    def tick(self) -> str:
        """Why nothing is requested; empty: a run is."""
        context = dg.build_sensor_context(instance=self.instance)
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        if result.run_requests:
            return ""
        return str(result.skip_reason.skip_message if result.skip_reason else None)

    def run(self) -> dg.ExecuteInProcessResult:
        """Rebuild; an error is in the result."""
        return self.job.execute_in_process(instance=self.instance, raise_on_error=False)

    def flush(self) -> None:
        """Empty Redis."""
        with raw_redis(self.stores.settings) as client:
            client.flushdb()


@pytest.fixture
def watch(provisioned: Settings, tmp_path: Path) -> Iterator[Watch]:
    with Stores(provisioned) as stores, dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield Watch(stores, instance)


def ingest(stores: Stores) -> None:
    with consuming(stores):
        stores.objects.put(spot_key(1), spot_bytes({"A": 1.0}))
        drained(stores, spot_key(1))


def test_an_emptied_redis_is_noticed_rebuilt_once_and_then_left_alone(watch: Watch) -> None:
    assert watch.tick() == "Redis is marked now"
    assert watch.tick() == "Redis has all its marks"
    ingest(watch.stores)
    watch.flush()
    assert watch.tick() == ""
    result = watch.run()
    assert result.success
    assert watch.tick() == "Redis has all its marks"
    assert watch.stores.latest.record_keys(SPOT) == ["A"]
    log = [
        event.user_message
        for event in watch.instance.all_logs(result.run_id)
        if not event.is_dagster_event
    ]
    assert "1 of 1 hours, 1 records, at actant/spot_risk 2025-07-17-19:00: all of it" in log[-1]


def test_while_somebody_rebuilds_nobody_else_does(watch: Watch) -> None:
    watch.tick()
    watch.flush()
    board = RebuildBoard(watch.stores.connections.redis)
    board.write(Progress(1, 5))
    assert watch.tick() == "Redis is being rebuilt"
    board.clear()
    run = watch.instance.create_run_for_job(watch.job, status=dg.DagsterRunStatus.STARTED)
    assert watch.tick() == "Redis is being rebuilt"
    watch.instance.delete_run(run.run_id)
    assert watch.tick() == ""


def test_a_rebuild_that_says_nothing_any_more_is_begun_again(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.tick()
    watch.flush()
    run = watch.instance.create_run_for_job(watch.job, status=dg.DagsterRunStatus.STARTED)
    monkeypatch.setattr(rebuild, "PROGRESS_SECONDS", -1)
    monkeypatch.setattr(rebuild, "AGAIN_AFTER_SECONDS", 0)
    assert watch.tick() == ""
    ended = watch.instance.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.FAILURE


def test_one_that_failed_is_begun_again_after_a_pause(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.tick()
    watch.flush()

    def fail(*_: object) -> None:
        raise RuntimeError("as asked")

    monkeypatch.setattr(rebuild, "rebuild_redis", fail)
    assert not watch.run().success
    assert watch.tick().startswith("the last rebuild failed")
    monkeypatch.setattr(rebuild, "AGAIN_AFTER_SECONDS", 0)
    assert watch.tick() == ""


def test_the_platform_has_the_job_and_the_sensor_is_running(settings: Settings) -> None:
    definitions = build_definitions(settings=settings)
    assert definitions.resolve_job_def(REBUILD_JOB)
    sensor = definitions.resolve_sensor_def("redis_life")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
