"""The stream run as Dagster executes it."""

import threading
from collections.abc import Iterator
from uuid import uuid4

import dagster as dg
import pytest

from trade_assets.definitions import build_definitions
from trade_assets.defs.shared.names import STREAM_JOB
from trade_assets.feeds.stream import consumer
from trade_assets.settings import Settings
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def test_a_run_that_was_taken_for_dead_consumes_no_more(
    provisioned: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "POLL_SECONDS", 1)
    settings = provisioned.changed({"report_interval_seconds": 0.2, "heartbeat_seconds": 0.1})
    job = build_definitions(settings=settings).resolve_job_def(STREAM_JOB)
    run_id, ended = str(uuid4()), threading.Event()
    results: list[dg.ExecuteInProcessResult] = []

    def execute() -> None:
        results.append(
            job.execute_in_process(instance=instance, run_id=run_id, raise_on_error=False)
        )
        ended.set()

    thread = threading.Thread(target=execute)
    thread.start()
    with Stores(settings) as stores:
        eventually(lambda: any(beat.consuming for beat in stores.heartbeats.alive()))
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_run_failed(run, "taken for dead")
        assert ended.wait(PATIENCE_SECONDS)
        thread.join()
        assert not any(beat.consuming for beat in stores.heartbeats.alive())
    (result,) = results
    assert not result.success
    assert settings.stream.window_seconds > 3000  # it was not the window's end
