"""`trade-assets rebuild`, and what `status` says of an emptied Redis."""

import json
from typing import Any

from trade_assets.ingest.rebuilding import Progress, RebuildBoard
from trade_assets.ingest.redis_life import RedisLife
from trade_assets.settings import Settings
from trade_assets_tests.cli.helpers import Run
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import SPOT, raw_redis, spot_bytes, spot_key
from trade_assets_tests.support.stores import Stores


def fill_and_flush(stores: Stores) -> None:
    connections = stores.connections
    RedisLife(stores.settings, connections.redis, connections.dynamodb).begin()
    with consuming(stores):
        stores.objects.put(spot_key(1), spot_bytes({"A": 1.0, "B": 2.0}))
        drained(stores, spot_key(1))
    with raw_redis(stores.settings) as client:
        client.flushdb()


def problems(run: Run) -> list[str]:
    found: list[str] = json.loads(run("status", "--json").out)["problems"]
    return [problem for problem in found if problem.startswith("Redis lost")]


def test_a_loss_shows_in_the_status_until_it_is_rebuilt(
    provisioned: Settings, stores: Stores, run: Run, local_programs: None
) -> None:
    fill_and_flush(stores)
    assert problems(run) == ["Redis lost its data; it is rebuilt as soon as the daemon has begun"]
    assert "Redis lost its data" in run("status").out
    RebuildBoard(stores.connections.redis).write(Progress(3, 14, SPOT.path, "2025-07-17-19:00", 7))
    assert problems(run) == [
        "Redis lost its data and is being rebuilt: 3 of 14 hours, 7 records, at "
        "actant/spot_risk 2025-07-17-19:00"
    ]
    done = run("rebuild")
    assert done.code == 0
    assert "rebuilt: 1 hours, 2 records put back" in done.out
    assert problems(run) == []
    assert stores.latest.record_keys(SPOT) == ["A", "B"]


def test_programs_get_an_object_a_step(provisioned: Settings, stores: Stores, run: Run) -> None:
    fill_and_flush(stores)
    steps: list[Any] = [json.loads(line) for line in run("rebuild", "--json").out.splitlines()]
    assert steps == [
        {"done": 1, "total": 1, "dataset": "actant/spot_risk", "hour": "2025-07-17-19:00",
         "records": 2}
    ]  # fmt: skip
