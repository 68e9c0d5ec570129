"""One life of the product with its simulated TT: snapshots on their slots, faults, a killed daemon,
a rerun of the hour, a rotated secret; and no secret anywhere at the end.

The tests of this module share one running product and come in this order.
"""

import contextlib
import gzip
import json
import secrets
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.errors import StoreUnavailableError
from trade_assets.monitor.alarms.evaluator import LEASE_SECONDS
from trade_assets.monitor.alarms.state_store import AlarmStateStore
from trade_assets.ports import LOOPBACK
from trade_assets.remote.secrets import SecretsManagerCredentials
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.tt.client.token_cache import TokenCache
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.formats.snapshot_keys import parse_snapshot_key, snapshot_hour_prefix
from trade_assets.tt.slots.slot_log import SlotNote
from trade_assets_tests.e2e.life import Product, backfill_status
from trade_assets_tests.support.product import (
    command,
    command_json,
    product_settings,
    running_up,
)
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(3600)]

ORDERS = SNAPSHOTS["tt/orders"]
FILLS = SNAPSHOTS["tt/tt_fills"]
SLOT_JOB = "tt_snapshot"


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
        running.says("Dagster UI  ")
        life = Product(running, folder, folder)
        try:
            yield life
        finally:
            life.stores.close()


class Pictures(threading.Thread):
    """Looks at the working orders all the while, as a reader does, and remembers what was wrong."""

    def __init__(self, product: Product) -> None:
        super().__init__(daemon=True)
        self.files: set[str] = set()
        self.mixed: list[str] = []
        self._latest = LatestStore(product.running.settings)
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.02):
            with contextlib.suppress(StoreUnavailableError):
                self._look()

    def _look(self) -> None:
        picture = self._latest.read_set(ORDERS)
        if picture is None:
            return
        self.files.add(picture.file_key)
        if {record["file_key"] for record in picture.records} - {picture.file_key}:
            self.mixed.append(picture.file_key)

    def stop(self) -> None:
        self._over.set()
        self.join()
        self._latest.close()


@pytest.fixture(scope="module")
def pictures(product: Product) -> Iterator[Pictures]:
    watcher = Pictures(product)
    watcher.start()
    yield watcher
    watcher.stop()


def whole_slots(product: Product) -> list[datetime]:
    """Slots of this hour and the last one of which every kind is in the bucket, oldest first."""
    environment = product.stores.settings.tt.environment.value
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


def stored_slot(product: Product, after: datetime) -> datetime:
    """A slot later than `after` of which the stores have every kind, too."""

    def stored() -> datetime | None:
        files = [product.stores.latest.status(item).get("last_file") for item in SNAPSHOTS.values()]
        if None in files:
            return None
        slot = min(parse_snapshot_key(str(file)).slot for file in files)
        return slot if slot > after else None

    slot = eventually(stored, "a slot in the stores")
    assert slot is not None
    return slot


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
    states = AlarmStateStore(product.stores.latest._redis, LEASE_SECONDS)
    return {episode.name for episode in states.open_episodes()}


_KNOWN_SECRETS: list[str] = []
"""Keys, secrets and tokens that this product has had."""


def remember_secrets(product: Product) -> None:
    """Note what must be nowhere: the key, the secret and the token of now."""
    settings = product.running.settings
    credential = SecretsManagerCredentials(settings, settings.tt_secret_name).get()
    cache = TokenCache(settings, product.stores.latest._redis)
    token = eventually(lambda: cache.read(credential), "a shared token")
    assert token is not None
    secrets_now = (credential.key, credential.secret, token.value)
    _KNOWN_SECRETS.extend(secret.get_secret_value() for secret in secrets_now)


def test_a_slot_is_in_all_three_stores(product: Product, pictures: Pictures) -> None:
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


def test_when_tt_fails_the_breaker_opens_and_the_alarm_is_told_once(product: Product) -> None:
    fault(product, "add", "server_error")
    eventually(lambda: notes(product), "slots that were not taken are noted")
    eventually(lambda: any("breaker" in name for name in open_alarms(product)), "alarm")
    shown = status(product)
    assert any("breaker" in problem for problem in shown["problems"])
    assert any(note.reason for note in notes(product))
    fault(product, "clear")
    stored_slot(product, slot_at(datetime.now(UTC)))
    eventually(lambda: not open_alarms(product), "alarms end")


def test_a_killed_daemon_and_a_rotated_secret_cost_no_fill(product: Product) -> None:
    remember_secrets(product)
    settings = product.running.settings
    rotated = {"key": secrets.token_hex(16), "secret": secrets.token_hex(16)}
    client = secretsmanager_client(settings)
    client.put_secret_value(SecretId=settings.tt_secret_name, SecretString=json.dumps(rotated))
    client.close()
    daemon = product.running.program("dagster._daemon")
    assert daemon is not None
    daemon.kill()
    stored_slot(product, slot_at(datetime.now(UTC)))
    remember_secrets(product)
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
    ended = eventually(lambda: backfill_status(product, data["backfillId"]), "the rerun ends")
    assert ended == "COMPLETED_SUCCESS"
    assert set(fills) <= set(product.stores.latest.record_keys(FILLS))


def test_every_slot_had_one_run_and_every_picture_was_whole(
    product: Product, pictures: Pictures
) -> None:
    data = product.running.graphql(
        """query($job: String!) { runsOrError(filter: {pipelineName: $job}) {
             ... on Runs { results { status tags { key value } } } } }""",
        job=SLOT_JOB,
    )["runsOrError"]["results"]
    keys = [tag["value"] for run in data for tag in run["tags"] if tag["key"] == "dagster/run_key"]
    assert len(keys) >= 3
    assert len(set(keys)) == len(keys)
    pictures.stop()
    assert len(pictures.files) >= 2
    assert not pictures.mixed


def test_no_secret_is_anywhere_that_people_look(product: Product) -> None:
    assert len(set(_KNOWN_SECRETS)) == 6
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


def test_no_page_of_the_ui_and_no_command_shows_a_secret(product: Product) -> None:
    settings = product.running.settings
    runs = product.running.graphql(
        """{ runsOrError(limit: 40) { ... on Runs { results {
             runConfigYaml tags { key value }
             eventConnection { events { ... on MessageEvent { message } } } } } } }"""
    )
    shown = {"runs": json.dumps(runs)}
    for page in ("", "runs", "assets", "locations", "server_info"):
        url = f"http://{LOOPBACK}:{settings.local.dagster_port}/{page}"
        shown[url] = urllib3.request("GET", url, timeout=PATIENCE_SECONDS).data.decode()
    for words in (["status"], ["status", "--json"], ["latest", "orders"], ["tt-fault", "list"]):
        done = command(settings, product.folder, *words)
        shown[" ".join(words)] = done.stdout + done.stderr
    assert "take_slot" in shown["runs"]
    for where, text in shown.items():
        assert text
        for secret in _KNOWN_SECRETS:
            assert secret not in text, where


def test_it_stops_without_a_trace(product: Product) -> None:
    assert product.running.stop(signal.SIGINT) == 0
    assert product.running.processes() == []
