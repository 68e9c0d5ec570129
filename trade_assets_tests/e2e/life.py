"""The running product as the end-to-end tests use it: its folder, its stores, its Dagster UI."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from trade_assets.datasets.keys import FEEDS_PREFIX
from trade_assets.feeds.datasets import FEEDS
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets_tests.support.product import Running
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import eventually

SPOT_RISK = FEEDS["actant/spot_risk"]
FILLS = FEEDS["tt/fills"]
START = datetime(2025, 7, 17, 15, 0, tzinfo=UTC)


class Product:
    """The running product, its stores, and the folder that its push agent watches."""

    def __init__(self, running: Running, folder: Path, outbox: Path) -> None:
        self.running = running
        self.folder = folder
        self.outbox = outbox
        self.stores = Stores(running.settings)
        self.dropped = 0

    def drop(self, name: str, data: bytes) -> None:
        """Put a file into the watched folder, as a desk does."""
        part = self.outbox / f"{name}.part"
        part.write_bytes(data)
        part.rename(self.outbox / name)

    def drop_spot_risk(self) -> str:
        """Drop the next spot-risk file; its name."""
        name, data = spot_risk_file(5, START + timedelta(seconds=self.dropped), rows=81)
        self.dropped += 1
        self.drop(name, data)
        return name

    def key_of(self, name: str) -> str | None:
        """The key under which a file of that name is in the bucket."""
        keys = [info.key for info in self.stores.objects.list_after(FEEDS_PREFIX)]
        return next((key for key in keys if key.endswith(f"/{name}")), None)

    def state_of(self, name: str) -> str | None:
        """What the ledger says of the newest version of a file, once it says something."""
        key = self.key_of(name)
        info = self.stores.objects.head(key) if key else None
        if key is None or info is None:
            return None
        return self.stores.ledger.known([(key, info.etag)]).get((key, info.etag))

    def is_stored(self, name: str) -> None:
        eventually(lambda: self.state_of(name) == FileState.STORED, f"{name} stored")

    def runs(self, job: str) -> list[dict[str, Any]]:
        """Runs of a job, newest first."""
        data = self.running.graphql(
            "query($job: String!) { runsOrError(filter: {pipelineName: $job}) "
            "{ ... on Runs { results { runId status } } } }",
            job=job,
        )
        runs: list[dict[str, Any]] = data["runsOrError"]["results"]
        return runs


def backfill_status(product: Product, backfill_id: str) -> str | None:
    """Status of a backfill that has ended."""
    status = product.running.graphql(
        "query($id: String!) { partitionBackfillOrError(backfillId: $id) "
        "{ ... on PartitionBackfill { status } } }",
        id=backfill_id,
    )["partitionBackfillOrError"]["status"]
    return None if status in ("REQUESTED", "COMPLETING") else str(status)


def damage(stores: Stores, record_key: str) -> None:
    """Falsify the newest record of a key in Redis, and lose it in DynamoDB."""
    redis = stores.latest._redis
    redis.hset(f"latest:actant:spot_risk:{record_key}", "bid_price", "1")
    calls: DynamoCalls = stores.history._calls
    table = stores.settings.history_table
    pk = f"actant#spot_risk#{record_key}"
    newest = next(iter(stores.history.read(SPOT_RISK, record_key)))
    sk = f"{newest['event_time']}#{str(newest['file_key']).rsplit('/', 1)[1]}"
    body = {"TableName": table, "Key": {"pk": {"S": pk}, "sk": {"S": sk}}}
    calls.call("DeleteItem", json.dumps(body).encode())


def live_stream_runs(product: Product) -> list[str]:
    """Stream runs that send heartbeats, and that Dagster has not found dead yet."""
    beats = {beat.run_id for beat in product.stores.heartbeats.alive()}
    runs = product.runs("feed_stream")
    return [run["runId"] for run in runs if run["status"] == "STARTED" and run["runId"] in beats]


def stream_processes(product: Product) -> dict[str, psutil.Process]:
    """The processes of the live stream runs, by run (two while one hands over to the other)."""
    runs = eventually(lambda: live_stream_runs(product), "a stream run is alive")
    return {run_id: psutil.Process(_pid(product, run_id)) for run_id in runs}


def _pid(product: Product, run_id: str) -> int:
    events = product.running.graphql(
        """query($id: ID!) { runOrError(runId: $id) { ... on Run {
             eventConnection { events { ... on MessageEvent { message } } } } } }""",
        id=run_id,
    )["runOrError"]["eventConnection"]["events"]
    told = (event.get("message", "").partition("(pid: ")[2] for event in events)
    return next(int(words.rstrip(").")) for words in told if words)
