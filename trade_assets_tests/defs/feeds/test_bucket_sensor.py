"""The bucket sensor on a real instance and the real local parts."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from trade_assets.datasets.keys import feed_file_key, hour_prefix, parse_feed_key
from trade_assets.definitions import build_definitions
from trade_assets.defs.feeds.book_beats import BookBeats
from trade_assets.defs.feeds.bucket_sensor import SensorCursor, bucket_sensor
from trade_assets.defs.feeds.hour_job import hour_job
from trade_assets.defs.feeds.stream_run import feed_stream
from trade_assets.defs.shared.loaded_hours import EARLIEST
from trade_assets.defs.shared.names import FRESHNESS_CHECK, HOUR_JOB, QUICK_FEED_STORES, STREAM_JOB
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.stream.discovery import ScanCursor
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.settings import Settings
from trade_assets.simulators.desk.ledger_file import ledger_file
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.stores.aws import dynamodb_client
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores

SPOT_RISK = FEEDS["actant/spot_risk"]
FILLS = FEEDS["tt/fills"]


class Ticker:
    """Evaluates the sensor as the daemon does: the cursor of a tick is that of the next."""

    def __init__(
        self, settings: Settings, instance: dg.DagsterInstance, first: datetime = EARLIEST
    ) -> None:
        self.stores = Stores(settings)
        self.instance = instance
        self.definitions = build_definitions(settings=settings)
        self.sensor = bucket_sensor(settings, hour_job(), first)
        self.cursor: str | None = None

    def tick(self) -> dg.SensorResult:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=self.cursor, resources={QUICK_FEED_STORES: self.stores}
        )
        result = self.sensor(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        return result

    def execute(self, result: dg.SensorResult) -> list[dg.ExecuteInProcessResult]:
        """Run what a tick requests, in this process, all but the stream."""
        done = []
        for request in result.run_requests or []:
            if request.job_name == STREAM_JOB:
                continue
            job = self.definitions.resolve_job_def(HOUR_JOB)
            done.append(
                job.execute_in_process(
                    run_config=request.run_config,
                    asset_selection=list(request.asset_selection or []),
                    partition_key=request.partition_key,
                    tags=dict(request.tags),
                    instance=self.instance,
                )
            )
        return done


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


def ticker(
    local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance, **overrides: object
) -> Ticker:
    settings = local_parts.settings(tmp_path / "home", heartbeat_stale_seconds=3600, **overrides)
    provision(settings)
    return Ticker(settings, instance)


@pytest.fixture
def missing_nothing(
    local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance
) -> Ticker:
    """Stream on, and a file counts as missed at once."""
    return ticker(local_parts, tmp_path, instance, missed_after_seconds=0.001)


@pytest.fixture
def alone(local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance) -> Ticker:
    """Stream off: the sensor carries the feeds."""
    return ticker(local_parts, tmp_path, instance, stream_enabled=False)


def put_spot_risk(stores: Stores, count: int, hours_ago: float = 0) -> list[str]:
    pushed = datetime.now(UTC) - timedelta(hours=hours_ago)
    keys = []
    for number in range(count):
        name, data = spot_risk_file(3, pushed + timedelta(seconds=number), rows=80)
        key = feed_file_key(SPOT_RISK, name, pushed)
        stores.objects.put(key, data)
        keys.append(key)
    return keys


def hour_request(result: dg.SensorResult) -> dg.RunRequest:
    """The one run for files that a tick requests."""
    (request,) = (item for item in result.run_requests or [] if item.job_name == HOUR_JOB)
    return request


def files_of(request: dg.RunRequest) -> list[str]:
    """The spot-risk files that a run is requested for."""
    found: list[str] = request.run_config["ops"]["actant__spot_risk"]["config"]["files"]
    return found


def beat(stores: Stores, left: float = 3000) -> None:
    stores.heartbeats.beat(StreamBeat("alive", datetime.now(UTC).timestamp() + left, 0))


def drain(stores: Stores) -> None:
    while messages := stores.queue.receive(0):
        stores.queue.delete(messages)


def test_a_stream_run_is_requested_where_no_heartbeat_is(missing_nothing: Ticker) -> None:
    requested = missing_nothing.tick().run_requests or []
    assert [request.job_name for request in requested] == [STREAM_JOB]


def test_nothing_is_requested_while_the_stream_lives_and_nothing_is_new(
    missing_nothing: Ticker,
) -> None:
    beat(missing_nothing.stores)
    result = missing_nothing.tick()
    assert not result.run_requests
    assert result.skip_reason is not None
    assert "stream run alive" in str(result.skip_reason.skip_message)


def test_files_older_than_the_partitions_wait_and_move_their_beginning_back(
    local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = local_parts.settings(tmp_path / "home", missed_after_seconds=0.001)
    provision(settings)
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    waiting = Ticker(settings, instance, this_hour)
    old, new = put_spot_risk(waiting.stores, 1, 5), put_spot_risk(waiting.stores, 1)
    drain(waiting.stores)
    request = hour_request(waiting.tick())
    assert files_of(request) == new
    mark = waiting.stores.first_hour.read()
    assert mark == parse_feed_key(old[0]).hour
    # As after the reload that follows: the sensor is another, its cursor the same.
    waiting.execute(dg.SensorResult(run_requests=[request]))
    waiting.sensor = bucket_sensor(settings, hour_job(), mark)
    request = hour_request(waiting.tick())
    assert files_of(request) == old


def test_files_without_a_notification_are_ingested_and_then_left_alone(
    missing_nothing: Ticker,
) -> None:
    stores = missing_nothing.stores
    beat(stores)
    keys = put_spot_risk(stores, 3)
    drain(stores)
    result = missing_nothing.tick()
    (request,) = result.run_requests or []
    assert request.job_name == HOUR_JOB
    (run,) = missing_nothing.execute(result)
    assert run.success
    for key in keys:
        (line,) = stores.ledger.entries(key)
        assert line["state"] == FileState.STORED
    beat(stores)
    assert not missing_nothing.tick().run_requests


def test_files_that_wait_in_the_queue_are_not_missed(missing_nothing: Ticker) -> None:
    stores = missing_nothing.stores
    beat(stores)
    put_spot_risk(stores, 25)
    result = missing_nothing.tick()
    assert not result.run_requests
    assert "notifications wait" in str(result.skip_reason)


def test_without_the_stream_every_new_file_goes_into_one_run_a_tick(alone: Ticker) -> None:
    put_spot_risk(alone.stores, 4)
    name, data = ledger_file(3, datetime.now(UTC))
    alone.stores.objects.put(feed_file_key(FILLS, name, datetime.now(UTC)), data)
    result = alone.tick()
    assert len(result.run_requests or []) == 1
    (run,) = alone.execute(result)
    assert run.success
    assert alone.stores.latest.record_keys(SPOT_RISK)
    assert alone.stores.latest.record_keys(FILLS)
    assert not alone.tick().run_requests


def test_hours_that_follow_on_each_other_go_into_one_run(alone: Ticker) -> None:
    for hours_ago in (3, 2, 1):
        put_spot_risk(alone.stores, 1, hours_ago)
    (request,) = alone.tick().run_requests or []
    assert request.partition_key is None
    start = request.tags["dagster/asset_partition_range_start"]
    end = request.tags["dagster/asset_partition_range_end"]
    assert start < end


def test_a_lost_ledger_makes_the_sensor_begin_again(alone: Ticker) -> None:
    keys = put_spot_risk(alone.stores, 2)
    alone.execute(alone.tick())
    assert not alone.tick().run_requests
    settings = alone.stores.settings
    _empty(alone.stores, settings.ledger_table)
    provision(settings, new_generation=True)
    result = alone.tick()
    (run,) = alone.execute(result)
    assert run.success
    assert all(alone.stores.ledger.entries(key) for key in keys)


def test_a_rewritten_key_behind_the_watermark_is_found(alone: Ticker) -> None:
    now = datetime.now(UTC)
    name, data = ledger_file(3, now)
    key = feed_file_key(FILLS, name, now)
    alone.stores.objects.put(key, data)
    alone.execute(alone.tick())
    alone.stores.objects.put(
        key, data + b"999999,XCMEFFDPSX20250919U0ZN,2025-07-17 10:00:00,B,1.0,110.5\n"
    )
    alone.execute(alone.tick())
    assert "999999" in alone.stores.latest.record_keys(FILLS)


def test_a_file_that_lands_behind_the_watermark_is_found_when_its_hour_is_over(
    alone: Ticker,
) -> None:
    stores = alone.stores
    pushed = datetime.now(UTC) - timedelta(hours=2)
    late, late_data = spot_risk_file(3, pushed, rows=80)
    name, data = spot_risk_file(3, pushed + timedelta(minutes=5), rows=80)
    stores.objects.put(feed_file_key(SPOT_RISK, name, pushed), data)
    alone.execute(alone.tick())
    # The hours closed so far were looked at; make the sensor believe it was up to date then.
    late_key = feed_file_key(SPOT_RISK, late, pushed)
    stores.objects.put(late_key, late_data)
    alone.cursor = _closed_before(alone.cursor, pushed)
    alone.execute(alone.tick())
    assert stores.ledger.entries(late_key)


def test_a_file_no_run_can_settle_is_given_up_visibly(alone: Ticker) -> None:
    (key,) = put_spot_risk(alone.stores, 1)
    requests = 0
    for _ in range(12):
        result = alone.tick()
        requests += len(result.run_requests or [])
        alone.cursor = _as_if_long_ago(alone.cursor)
    assert requests == 5
    (line,) = alone.stores.ledger.entries(key)
    assert line["state"] == FileState.FAILED
    assert "not ingested by 5 runs" in line["error"]


def test_a_file_of_which_every_run_dies_costs_no_other(alone: Ticker) -> None:
    keys = put_spot_risk(alone.stores, 20)
    sizes: list[int] = []
    while not alone.stores.ledger.entries(keys[0]):
        sizes += [len(files_of(request)) for request in alone.tick().run_requests or []]
        alone.cursor = _as_if_long_ago(alone.cursor)
    assert sizes == [20, 5, 1, 1, 1]
    assert alone.stores.ledger.entries(keys[0])[0]["state"] == FileState.FAILED
    (rest,) = alone.execute(alone.tick())
    assert rest.success
    states = {alone.stores.ledger.entries(key)[0]["state"] for key in keys[1:]}
    assert states == {FileState.STORED}


def test_while_redis_is_away_no_run_for_files_counts(
    local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    away = {
        "redis_url": "redis://127.0.0.1:1/0", "stream_enabled": False, "store_retry_seconds": 0.1,
    }  # fmt: skip
    settings = local_parts.settings(tmp_path / "home", **away)
    provision(settings)
    ticking = Ticker(settings, instance)
    (key,) = put_spot_risk(ticking.stores, 1)
    for _ in range(12):
        assert not ticking.tick().run_requests
        ticking.cursor = _as_if_long_ago(ticking.cursor)
    assert ticking.stores.ledger.entries(key) == []


def test_freshness_is_reported_when_it_changes(missing_nothing: Ticker) -> None:
    beat(missing_nothing.stores)
    events = missing_nothing.tick().asset_events
    first = [isinstance(event, dg.AssetCheckEvaluation) and event.check_name for event in events]
    assert first == [FRESHNESS_CHECK] * len(FEEDS)
    assert not missing_nothing.tick().asset_events


def test_without_redis_a_stream_run_is_requested_once(
    local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = local_parts.settings(tmp_path / "home", redis_url="redis://127.0.0.1:1/0")
    provision(settings)
    ticker = Ticker(settings, instance)
    requested = ticker.tick().run_requests or []
    assert [request.job_name for request in requested] == [STREAM_JOB]
    run = instance.create_run_for_job(feed_stream)
    instance.report_run_canceling(run)  # unfinished, and not one that is on its way up
    BookBeats(instance).beat(StreamBeat(run.run_id, datetime.now(UTC).timestamp() + 3000, 0))
    result = ticker.tick()
    assert not result.run_requests
    assert "Redis" in str(result.skip_reason)


def _empty(stores: Stores, table: str) -> None:
    client = dynamodb_client(stores.settings)
    for item in client.scan(TableName=table)["Items"]:
        client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def _closed_before(cursor: str | None, moment: datetime) -> str:
    outer = SensorCursor.from_json(cursor)
    inner = ScanCursor.from_json(outer.scan)
    inner.closed[SPOT_RISK.path] = hour_prefix(SPOT_RISK, moment)
    outer.scan = inner.to_json()
    return outer.to_json()


def _as_if_long_ago(cursor: str | None) -> str:
    outer = SensorCursor.from_json(cursor)
    inner = ScanCursor.from_json(outer.scan)
    if inner.blocked is not None:
        inner.blocked[2] -= 3600
    outer.scan = inner.to_json()
    return outer.to_json()
