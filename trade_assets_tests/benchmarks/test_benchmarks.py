"""Every benchmark's code runs, with tiny sizes. Nothing here is about how long anything takes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from benchmarks import backlog, client_cpu, day, sensor
from benchmarks.latency.compare import summarise
from benchmarks.latency.plain import read_records
from benchmarks.latency.stock_pipeline import build_stock_definitions
from benchmarks.latency.ways import WARM_UP_FILES, raw_loop
from benchmarks.parts import Bench
from benchmarks.samples import sample, samples
from benchmarks.scale import QUICK
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.stream.owed import RecordStore
from trade_assets.local.leftovers import marked_processes
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect
from trade_assets_tests.support.parts import dynalite_folder, ministack_python
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

TINY = replace(
    QUICK,
    round_seconds=0.001,
    backlog_files=3,
    day_files=3,
    ceiling_items=25,
    bucket_sizes=(5, 20),
    new_files=2,
    ticks=2,
    client_files=2,
    rounds=1,
)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A tiny benchmark, which leaves no process behind."""
    yield Bench(TINY, tmp_path, ministack_python(), dynalite_folder(), lambda _: None)
    for home in tmp_path.iterdir():
        assert not marked_processes(home)


def test_parse_compares_equal_results(bench: Bench) -> None:
    from benchmarks import parse

    data = parse.measure(bench).data
    feeds = {name.removeprefix("feeds/").partition(",")[0] for name in data if "feeds/" in name}
    assert len([name for name in data if "feeds/" not in name]) == 6
    assert feeds == {*FEEDS, "json.loads and a loop"}


def test_symbols_compares_equal_results(bench: Bench) -> None:
    from benchmarks import symbols

    assert len(symbols.measure(bench).data) == 20


def test_greeks_compares_equal_results(bench: Bench) -> None:
    from benchmarks import greeks

    assert set(greeks.measure(bench).data) == set(greeks.WAYS)


def test_client_cpu_covers_both_stores(bench: Bench) -> None:
    rows = client_cpu.measure(bench).tables[0].rows
    assert [row[0].partition(":")[0] for row in rows] == 3 * ["DynamoDB"] + 3 * ["Redis"]


def test_sensor_measures_ticks_at_both_sizes(bench: Bench) -> None:
    ticks = sensor.measure(bench).data["ticks"]
    assert {(item["objects"], item["new"]) for item in ticks} == {(5, 0), (5, 2), (20, 0), (20, 2)}
    assert all(len(item["total"]) == TINY.ticks for item in ticks)
    for item in ticks:
        # Before it asks for new files, a tick looks whether a store is owed files.
        asks = item["work"] == sensor.TICK and item["new"]
        assert item["list_calls"] == len(FEEDS) + (len(RecordStore) if asks else 0)


def test_backlog_is_drained_by_a_real_stream(bench: Bench) -> None:
    figure = backlog.measure(bench)
    drained = figure.data["drained"]
    assert drained["files"] == TINY.backlog_files
    assert drained["rows"] == sum(item.rows for item in samples(TINY.backlog_files))
    assert 0 < drained["greeks"]["solved"] <= drained["greeks"]["records"] < drained["rows"]
    feed_rows, with_greeks, ceiling = figure.tables[0].rows[:3]
    assert feed_rows[1] == ceiling[1] == f"{drained['rows']:,}"
    assert with_greeks[1] == f"{drained['rows'] + drained['greeks']['records']:,}"


def test_a_day_is_fed_to_a_real_stream_and_looked_at(bench: Bench) -> None:
    data = day.measure(bench).data
    last = data["checkpoints"][-1]
    assert last["files"] == TINY.day_files
    assert last["memory_mb"] > 0
    assert last["disk_mb"] > last["tables_mb"] > 0


def test_the_raw_loop_carries_every_file(bench: Bench) -> None:
    summary = summarise(raw_loop(bench, samples(WARM_UP_FILES + 2)).landings)
    assert (summary.put, summary.seen, summary.late) == (2, 2, [])


def test_the_stock_pipeline_requests_a_run_a_file_that_fills_redis(
    provisioned: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_ASSETS_NAMESPACE", provisioned.namespace)
    monkeypatch.setenv("AWS_ENDPOINT_URL", provisioned.aws_endpoint or "")
    monkeypatch.setenv("TRADE_ASSETS_REDIS_URL", provisioned.stores.redis_url.get_secret_value())
    item = sample(0, rows=5)
    key = feed_file_key(SPOT_RISK, item.name, item.event_time)
    definitions = build_stock_definitions(interval_seconds=None)
    with Stores(provisioned) as stores, dg.DagsterInstance.ephemeral() as instance:
        stores.objects.put(key, item.data)
        context = dg.build_sensor_context(
            instance=instance, definitions=definitions, resources=dict(definitions.resources or {})
        )
        found = definitions.resolve_sensor_def("new_files").evaluate_tick(context)
        assert [request.run_key for request in found.run_requests or []] == [key]
        job = definitions.resolve_implicit_global_asset_job_def()
        config = (found.run_requests or [])[0].run_config
        assert job.execute_in_process(run_config=config, instance=instance).success
        record = read_records(item.data, key)["record_key"][0]
    client = connect(provisioned)
    assert client.exists(f"latest:{SPOT_RISK.path}:{record}")
    client.close()
