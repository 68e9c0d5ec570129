"""Hours of snapshots through a real materialisation: both stores from the raw documents alone."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import polars as pl
import pytest

from trade_assets.datasets.keys import HISTORY, LATEST, RAW, SNAPSHOT_LAYERS
from trade_assets.defs.feeds.hour_job import RANGE_END_TAG, RANGE_START_TAG
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.loaded_hours import EARLIEST, LoadedHours
from trade_assets.defs.shared.names import FRESHNESS_CHECK, ROWS_CHECK, SYMBOLS_CHECK
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.formats.snapshot_keys import snapshot_key
from trade_assets_tests.defs.tt.documents import (
    HOUR,
    NEXT_PARTITION,
    PARTITION,
    put_document,
    put_hours,
)
from trade_assets_tests.defs.tt.fake_tt import fill, order
from trade_assets_tests.defs.tt.rerunning import rerun, told
from trade_assets_tests.stores.samples import history_items, raw_redis
from trade_assets_tests.support.stores import Stores

ORDERS = SNAPSHOTS["tt/orders"]
FILLS = SNAPSHOTS["tt/tt_fills"]
POSITIONS = SNAPSHOTS["tt/positions"]
EVERY = [layer_key(snapshot, layer) for snapshot in SNAPSHOTS.values() for layer in SNAPSHOT_LAYERS]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def stores(provisioned: Settings) -> Iterator[Stores]:
    """Stores of which only the bucket has anything: two hours of raw snapshots."""
    with Stores(provisioned) as made:
        put_hours(made)
        yield made


def keys_of(snapshot: Snapshot) -> list[dg.AssetKey]:
    return [layer_key(snapshot, layer) for layer in SNAPSHOT_LAYERS]


def redis_now(settings: Settings) -> dict[str, Any]:
    """All that Redis holds of records, by key."""
    with raw_redis(settings) as client:
        found: dict[str, Any] = {}
        for key in sorted(client.scan_iter("latest:tt:*")):
            found[key] = client.hgetall(key) if client.type(key) == "hash" else None
        for key in sorted(client.scan_iter("keys:tt:*")):
            found[key] = sorted(client.smembers(key))
        return found


def state(settings: Settings) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """All that both stores hold."""
    return redis_now(settings), history_items(settings)


def test_hours_are_rebuilt_from_the_bucket_alone(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    for partition in (PARTITION, NEXT_PARTITION):
        assert rerun(provisioned, instance, EVERY, partition).success
    whole = state(provisioned)
    assert stores.latest.record_keys(ORDERS) == ["c"]
    assert stores.latest.record_keys(FILLS) == ["exec-0", "exec-1", "exec-1000", "exec-2"]
    assert [float(row["price"]) for row in stores.history.read(ORDERS, "b")] == [111.5, 111.0]
    assert len(list(stores.history.read(ORDERS, "a"))) == 1
    assert len(list(stores.history.read(FILLS, "exec-1"))) == 1

    lose_everything(provisioned)
    assert state(provisioned) == ({}, [])
    # The newer hour first: an older one must not bring back what is gone.
    for partition in (NEXT_PARTITION, PARTITION):
        assert rerun(provisioned, instance, EVERY, partition).success
    assert state(provisioned) == whole


def lose_everything(settings: Settings) -> None:
    """Empty Redis and the table of the history."""
    with raw_redis(settings) as client:
        client.flushdb()
    client = dynamodb_client(settings)
    for item in history_items(settings):
        client.delete_item(
            TableName=settings.history_table, Key={"pk": item["pk"], "sk": item["sk"]}
        )


def test_a_materialisation_says_what_was_read_and_written(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    result = rerun(provisioned, instance, keys_of(ORDERS))
    raw = told(result, layer_key(ORDERS, RAW))
    assert (raw["snapshots"], raw["rows"], raw["rejects"]) == (3, 5, 0)
    assert (raw["slots_due"], raw["slots_missing"]) == (120, 117)
    assert len(raw["missing"]) == 20
    assert raw["last_file"] == snapshot_key("ext_prod_sim", "orders", HOUR + 2 * SLOT)
    latest = told(result, layer_key(ORDERS, LATEST))
    assert (latest["records_changed"], latest["records_gone"]) == (1, 0)
    assert told(result, layer_key(ORDERS, HISTORY))["items_put"] == 3
    later = rerun(provisioned, instance, keys_of(ORDERS), NEXT_PARTITION)
    latest = told(later, layer_key(ORDERS, LATEST))
    assert (latest["records_changed"], latest["records_gone"]) == (1, 1)


def test_checks_are_evaluated(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    put_document(stores, "fills", HOUR + 5 * SLOT, [fill(9), {"uniqueExecId": "no fill"}], 0)
    result = rerun(provisioned, instance, keys_of(FILLS))
    found = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert found["schema"].passed
    assert not found[ROWS_CHECK].passed
    assert found[ROWS_CHECK].metadata["rejected"].value == 1
    assert found[SYMBOLS_CHECK].passed
    assert found[SYMBOLS_CHECK].metadata["rows"].value == 4


def test_a_document_that_cannot_be_read_costs_that_slot_only(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    damaged = snapshot_key("ext_prod_sim", "orders", HOUR + SLOT)
    stores.objects.put(damaged, b"no gzip")
    result = rerun(provisioned, instance, keys_of(ORDERS))
    assert result.success
    assert told(result, layer_key(ORDERS, RAW))["snapshots_quarantined"] == 1
    found = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
    assert not found[ROWS_CHECK]
    held = [info.key for info in stores.objects.list_after("quarantine/")]
    assert f"quarantine/{damaged}" in held


@pytest.mark.parametrize("layers", [[RAW], [LATEST], [HISTORY]])
def test_layers_can_be_materialised_by_themselves(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance, layers: list[str]
) -> None:
    keys = [layer_key(FILLS, layer) for layer in layers]
    result = rerun(provisioned, instance, keys)
    assert result.success
    assert {event.asset_key for event in result.get_asset_materialization_events()} == {*keys}
    assert bool(stores.latest.record_keys(FILLS)) == (LATEST in layers)
    assert bool(history_items(provisioned)) == (HISTORY in layers)
    # Only what is in both stores is the stand from which the next slot goes on.
    assert stores.latest.status(FILLS) == {}


def test_a_range_of_hours_is_one_run(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    tags = {RANGE_START_TAG: PARTITION, RANGE_END_TAG: NEXT_PARTITION}
    result = rerun(provisioned, instance, EVERY, None, tags=tags)
    assert result.success
    assert stores.latest.record_keys(ORDERS) == ["c"]
    assert len(stores.latest.record_keys(FILLS)) == 4


@pytest.mark.parametrize("snapshot", [ORDERS, FILLS], ids=lambda item: item.name)
def test_a_downstream_asset_loads_what_was_written(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance, snapshot: Snapshot
) -> None:
    loaded: dict[str, pl.DataFrame] = {}

    @dg.asset(
        ins={name: dg.AssetIn(key=layer_key(snapshot, name)) for name in (LATEST, HISTORY)},
        partitions_def=LoadedHours(EARLIEST).partitions,
    )
    def downstream(latest: pl.DataFrame, history: pl.DataFrame) -> None:
        loaded.update(latest=latest, history=history)

    assert rerun(provisioned, instance, keys_of(snapshot)).success
    assert rerun(provisioned, instance, [], extra=[downstream]).success
    for frame in loaded.values():
        assert frame.schema == snapshot.record_schema
    keys = {layer: sorted(frame["record_key"]) for layer, frame in loaded.items()}
    if snapshot is ORDERS:
        assert keys == {LATEST: ["b"], HISTORY: ["a", "b", "b"]}
    else:
        fills = ["exec-0", "exec-1", "exec-2"]
        assert keys == {LATEST: fills, HISTORY: fills}


def test_an_empty_set_is_a_set(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    put_document(stores, "orders", HOUR + 3 * SLOT, [])
    assert rerun(provisioned, instance, keys_of(ORDERS)).success
    assert stores.latest.record_keys(ORDERS) == []
    put_document(stores, "orders", HOUR + 4 * SLOT, [order("d")])
    assert rerun(provisioned, instance, keys_of(ORDERS)).success
    assert stores.latest.record_keys(ORDERS) == ["d"]


def test_freshness_can_be_looked_at_by_hand(
    stores: Stores, provisioned: Settings, instance: dg.DagsterInstance
) -> None:
    assert rerun(provisioned, instance, keys_of(POSITIONS)).success
    from trade_assets.defs.tt.checks import freshness_outcome
    from trade_assets.tt.slots.open_hours import OpenHours

    always, never = (
        OpenHours.parse(["always"]),
        OpenHours.parse(["always"], ["2026-01-01T00:00Z/2999-01-01T00:00Z"]),
    )
    stale = freshness_outcome(stores, POSITIONS, always)
    assert (stale.name, stale.passed) == (FRESHNESS_CHECK, False)
    assert stale.metadata["age_seconds"] > stale.metadata["limit_seconds"]
    closed = freshness_outcome(stores, POSITIONS, never)
    assert closed.passed
    assert closed.metadata["not_due"].startswith("maintenance")
