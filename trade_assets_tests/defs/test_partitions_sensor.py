"""The sensor of where partitions begin: the bucket says it, the mark keeps it, a reload has it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from trade_assets.datasets.keys import feed_file_key
from trade_assets.defs.shared.loaded_hours import EARLIEST, LoadedHours
from trade_assets.defs.shared.partitions_sensor import first_hour, partitions_sensor
from trade_assets.feeds.datasets import FEEDS
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets.tt.formats.snapshot_keys import snapshot_key
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.scripted_server import running_server
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

HOUR = datetime(2025, 7, 17, 19, tzinfo=UTC)
EARLIER = HOUR - timedelta(days=2, hours=3)
PREFIXES = ["feeds/tt/fills/", "feeds/actant/eod/", "snapshots/tt/env/orders/"]


@pytest.fixture
def stores(local_parts: LocalParts, tmp_path: Path) -> Stores:
    return made(local_parts, tmp_path)


def made(local_parts: LocalParts, tmp_path: Path, **overrides: object) -> Stores:
    settings: Settings = local_parts.settings(tmp_path / "home", **overrides)
    provision(settings)
    return Stores(settings)


def put_fills(stores: Stores, hour: datetime) -> None:
    stores.objects.put(feed_file_key(FEEDS["tt/fills"], "trades_20250717.csv", hour), b"a")


class Ticker:
    """Ticks of the sensor in a process that has loaded `loaded`."""

    def __init__(self, stores: Stores, loaded: LoadedHours) -> None:
        self.sensor = partitions_sensor(stores.connections, loaded, PREFIXES)
        self.cursor: str | None = None

    def tick(self, *, listed_long_ago: bool = False) -> str:
        """What it says."""
        if self.cursor and listed_long_ago:
            fields: dict[str, Any] = json.loads(self.cursor)
            self.cursor = json.dumps({**fields, "listed_at": 0.0, "reload_at": 0.0})
        result = self.sensor(dg.build_sensor_context(cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        assert result.skip_reason is not None
        self.cursor = result.cursor
        return str(result.skip_reason.skip_message)


def test_the_first_hour_of_the_bucket_is_that_of_any_prefix(stores: Stores) -> None:
    assert first_hour(stores.objects, PREFIXES) is None
    put_fills(stores, HOUR)
    assert first_hour(stores.objects, PREFIXES) == HOUR
    stores.objects.put(snapshot_key("env", "orders", EARLIER), b"{}")
    assert first_hour(stores.objects, PREFIXES) == EARLIER


def test_no_mistake_in_a_name_makes_a_thousand_partitions(stores: Stores) -> None:
    put_fills(stores, HOUR)
    put_fills(stores, EARLIEST - timedelta(days=9000))
    stores.objects.put("feeds/actant/eod/dt=2025-13-41/hh=99/a.json", b"{}")
    stores.objects.put("feeds/actant/eod/elsewhere/a.json", b"{}")
    stores.objects.put("snapshots/tt/env/orders/dt=2199-01-01/hh=00/a.json", b"{}")
    assert first_hour(stores.objects, PREFIXES) == HOUR


def test_older_data_move_the_mark_back_and_nothing_moves_it_on(stores: Stores) -> None:
    ticker = Ticker(stores, LoadedHours(HOUR))
    assert ticker.tick() == "partitions begin at 2025-07-17-19:00"
    assert stores.first_hour.read() is None
    put_fills(stores, HOUR)
    ticker.tick(listed_long_ago=True)
    assert stores.first_hour.read() == HOUR
    put_fills(stores, EARLIER)
    said = ticker.tick(listed_long_ago=True)
    assert said.startswith("data begin at 2025-07-15-16:00, loaded from 2025-07-17-19:00;")
    assert stores.first_hour.read() == EARLIER


def test_a_process_that_could_not_ask_is_to_load_again(stores: Stores) -> None:
    stores.first_hour.note(HOUR)
    assert "to be reloaded" in Ticker(stores, LoadedHours(EARLIEST, certain=False)).tick()


def test_dagsters_web_server_is_asked_to_load_again_once_a_minute(
    local_parts: LocalParts, tmp_path: Path
) -> None:
    with running_server() as server:
        stores = made(local_parts, tmp_path, dagster_url=server.url)
        stores.first_hour.note(EARLIER)
        ticker = Ticker(stores, LoadedHours(HOUR))
        refused = {"data": {"reloadWorkspace": {"__typename": "PythonError", "message": "no"}}}
        done = {"data": {"reloadWorkspace": {"__typename": "Workspace"}}}
        server.script({"/graphql": [{"json": refused}, {"status": 500}, {"json": done}]})
        said = [ticker.tick().rpartition("; ")[2]]
        said += [ticker.tick().rpartition("; ")[2]]
        said += [ticker.tick(listed_long_ago=True).rpartition("; ")[2] for _ in range(2)]
        assert said[:2] == ["no", "a reload was asked for"]
        assert said[2].startswith(f"{server.url} does not reload them")
        assert said[3] == "reloaded"
        assert "reloadWorkspace" in server.seen("/graphql")[0].body
