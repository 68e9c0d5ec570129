"""One life of the product with its simulated TT: snapshots on their slots, faults, a killed daemon,
a rerun of the hour, a rotated secret; and no secret anywhere at the end.

The tests of this module share one running product and come in this order.
"""

import gzip
import json
import secrets
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trade_assets.alarms.board import Board
from trade_assets.alarms.desk import LEASE_SECONDS
from trade_assets.clients.secrets import SecretsManagerCredentials
from trade_assets.clients.tt.vault import TokenVault
from trade_assets.feeds.keys import PARTITION_FORMAT
from trade_assets.feeds.snapshots.base import SLOT
from trade_assets.feeds.snapshots.keys import parse_snapshot_key, snapshot_hour_prefix
from trade_assets.feeds.snapshots.registry import SNAPSHOTS
from trade_assets.feeds.snapshots.slots import slot_at
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.stores.slot_log import SlotNote
from trade_assets_tests.e2e.life import Product, backfill_status
from trade_assets_tests.support.product import (
    command,
    command_json,
    product_settings,
    running_up,
)
from trade_assets_tests.support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ORDERS = SNAPSHOTS["tt/orders"]
FILLS = SNAPSHOTS["tt/tt_fills"]
SLOT_JOB = "tt_snapshot"
TWO_SLOTS = 100.0
"""Seconds in which a slot comes and is taken, on a machine that has much else to do."""


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product")
    settings = product_settings(
        folder / "home",
        report_interval_seconds=2,
        simulator_interval_seconds=5,
        tt_breaker_open_seconds=5,
        alarm_missed_slots=2,
    )
    with running_up(settings, folder) as running:
        running.says("Dagster UI  ", 90)
        life = Product(running, folder, folder)
        try:
            yield life
        finally:
            life.stores.close()


def whole_slots(product: Product) -> list[datetime]:
    """Slots of this hour and the last one of which every kind is in the bucket, oldest first."""
    environment = product.stores.settings.tt_environment.value
    now = datetime.now(UTC)
    kinds: dict[str, set[datetime]] = {}
    for snapshot in SNAPSHOTS.values():
        keys = [
            parse_snapshot_key(info.key)
            for hour in (now - timedelta(hours=1), now)
            for info in product.stores.objects.list_after(
                snapshot_hour_prefix(environment, snapshot.kind, hour)
            )
        ]
        kinds[snapshot.kind] = {key.slot for key in keys}
    return sorted(set.intersection(*kinds.values()))


def next_whole_slot(product: Product, after: datetime) -> datetime:
    """The first slot later than `after` that is in the bucket with every kind."""
    found = eventually(
        lambda: [slot for slot in whole_slots(product) if slot > after], TWO_SLOTS, "a whole slot"
    )
    return found[0]


def stored_slot(product: Product, after: datetime) -> datetime:
    """A slot later than `after` of which the stores have every kind, too."""

    def stored() -> datetime | None:
        files = [product.stores.latest.status(item).get("last_file") for item in SNAPSHOTS.values()]
        if None in files:
            return None
        slot = min(parse_snapshot_key(str(file)).slot for file in files)
        return slot if slot > after else None

    return eventually(stored, TWO_SLOTS, "a slot in the stores")


def notes(product: Product) -> list[SlotNote]:
    now = datetime.now(UTC)
    return list(product.stores.slot_log.notes(now - timedelta(hours=2), now))


def fault(product: Product, *words: str) -> None:
    done = command(product.running.settings, product.folder, "tt-fault", *words)
    assert done.returncode == 0, done.stderr


def status(product: Product) -> dict[str, Any]:
    shown = command_json(product.running.settings, product.folder, ["status"])
    assert isinstance(shown, dict)
    return shown


def open_alarms(product: Product) -> set[str]:
    """Names of the alarms that are open."""
    board = Board(product.stores.latest._redis, LEASE_SECONDS)
    return {episode.name for episode in board.open_episodes()}


def test_a_slot_is_in_all_three_stores(product: Product) -> None:
    slot = stored_slot(product, datetime.now(UTC) - 10 * SLOT)
    settings, folder = product.running.settings, product.folder
    orders = command_json(settings, folder, ["latest", "orders"])
    assert orders
    assert {order["source"] for order in orders} == {"tt"}
    assert len({order["file_key"] for order in orders}) == 1
    assert all(order["instrument_id"] for order in orders if order["market_id"] != "1001")
    positions = command_json(settings, folder, ["latest", "tt/positions"])
    assert positions
    assert command_json(settings, folder, ["latest", "instruments"])
    fill = command_json(settings, folder, ["latest", "tt_fills", "--limit", "1"])[0]
    history = command_json(settings, folder, ["history", "tt_fills", fill["record_key"]])
    assert [record["record_key"] for record in history] == [fill["record_key"]]
    assert slot in whole_slots(product)


def test_a_run_a_slot_and_no_slot_twice(product: Product) -> None:
    stored_slot(product, slot_at(datetime.now(UTC)))
    data = product.running.graphql(
        """query($job: String!) { runsOrError(filter: {pipelineName: $job}) {
             ... on Runs { results { status tags { key value } } } } }""",
        job=SLOT_JOB,
    )["runsOrError"]["results"]
    keys = [tag["value"] for run in data for tag in run["tags"] if tag["key"] == "dagster/run_key"]
    assert len(keys) >= 2
    assert len(set(keys)) == len(keys)


def test_orders_replace_each_other_as_a_whole(product: Product) -> None:
    seen: list[tuple[str, frozenset[str]]] = []

    def two_pictures() -> bool:
        picture = product.stores.latest.read_set(ORDERS)
        assert picture is not None
        slots = {record["file_key"] for record in picture.records}
        assert slots <= {picture.file_key}
        if not seen or seen[-1][0] != picture.file_key:
            keys = frozenset(record["record_key"] for record in picture.records)
            seen.append((picture.file_key, keys))
        return len(seen) >= 3

    eventually(two_pictures, TWO_SLOTS + 60, "three pictures of the orders")


def test_when_tt_fails_the_breaker_opens_and_the_alarm_is_told_once(product: Product) -> None:
    fault(product, "add", "server_error")
    eventually(lambda: notes(product), TWO_SLOTS, "slots that were not taken are noted")
    eventually(lambda: any("breaker" in name for name in open_alarms(product)), 60, "alarm")
    shown = status(product)
    assert any("breaker" in problem for problem in shown["problems"])
    assert any(note.reason for note in notes(product))
    fault(product, "clear")
    stored_slot(product, slot_at(datetime.now(UTC)))
    eventually(lambda: not open_alarms(product), TWO_SLOTS, "alarms end")


def test_a_killed_daemon_takes_no_slot_twice_and_loses_no_fill(product: Product) -> None:
    daemon = product.running.program("dagster._daemon")
    assert daemon is not None
    daemon.kill()
    stored_slot(product, slot_at(datetime.now(UTC)))
    fills = product.stores.latest.record_keys(FILLS)
    assert fills
    for key in fills[-20:]:
        assert len(list(product.stores.history.read(FILLS, key))) == 1


def test_a_rerun_of_the_hour_rebuilds_both_stores(product: Product) -> None:
    slot = stored_slot(product, slot_at(datetime.now(UTC)) - SLOT)
    redis = product.stores.latest._redis
    fills = product.stores.latest.record_keys(FILLS)
    for key in fills:
        redis.delete(f"latest:tt:tt_fills:{key}")
    redis.delete("keys:tt:tt_fills")
    layers = [{"path": ["tt", "tt_fills", layer]} for layer in ("raw", "latest", "history")]
    hours = sorted({f"{at:{PARTITION_FORMAT}}" for at in (slot, slot - timedelta(hours=1))})
    data = product.running.graphql(
        """mutation($backfill: LaunchBackfillParams!) {
             launchPartitionBackfill(backfillParams: $backfill) {
               __typename ... on LaunchBackfillSuccess { backfillId } } }""",
        backfill={"assetSelection": layers, "partitionNames": hours},
    )["launchPartitionBackfill"]
    assert data["__typename"] == "LaunchBackfillSuccess", data
    ended = eventually(lambda: backfill_status(product, data["backfillId"]), 180, "the rerun ends")
    assert ended == "COMPLETED_SUCCESS"
    assert set(fills) <= set(product.stores.latest.record_keys(FILLS))


def test_a_rotated_secret_is_picked_up_without_a_restart(product: Product) -> None:
    settings = product.running.settings
    client = secretsmanager_client(settings)
    text = client.get_secret_value(SecretId=settings.tt_secret_name)["SecretString"]
    _KNOWN_SECRETS.extend(json.loads(text).values())
    credential = SecretsManagerCredentials(settings).get()
    vault = TokenVault(settings, product.stores.latest._redis)
    token = eventually(lambda: vault.read(credential), 60, "a shared token")
    _KNOWN_SECRETS.append(token.value.get_secret_value())
    rotated = {"key": secrets.token_hex(16), "secret": secrets.token_hex(16)}
    client.put_secret_value(SecretId=settings.tt_secret_name, SecretString=json.dumps(rotated))
    client.close()
    _KNOWN_SECRETS.extend(rotated.values())
    stored_slot(product, slot_at(datetime.now(UTC)) + SLOT)


_KNOWN_SECRETS: list[str] = []
"""Keys, secrets and a token that this product has had."""


def test_no_secret_is_anywhere_that_people_look(product: Product) -> None:
    assert len(_KNOWN_SECRETS) == 5
    home = product.running.home
    places = [
        *(home / "logs").rglob("*"),
        *(home / "dagster").rglob("*"),
        *(home / "redis").rglob("*"),
        product.running.output,
    ]
    files = [path for path in places if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    product.stores.latest._redis.save()
    for path in files:
        data = path.read_bytes() if path.exists() else b""
        for secret in _KNOWN_SECRETS:
            assert secret.encode() not in data, path
    for info in product.stores.objects.list_after("snapshots/"):
        data = gzip.decompress(product.stores.objects.get(info.key).data)
        assert not any(secret.encode() in data for secret in _KNOWN_SECRETS), info.key


def test_it_stops_without_a_trace(product: Product) -> None:
    assert product.running.stop(signal.SIGINT) == 0
    assert product.running.processes() == []
