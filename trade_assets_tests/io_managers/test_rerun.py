"""Hour partitions through a real materialisation: both IO managers, their checks and metadata."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import FILES, HISTORY, LATEST, LAYERS, PARTITION_FORMAT
from trade_assets.defs.feeds.hour_job import RANGE_END_TAG, RANGE_START_TAG
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.loaded_hours import EARLIEST, LoadedHours
from trade_assets.io_managers.metadata import ROW_COUNT
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client
from trade_assets_tests.stores.samples import (
    FILLS,
    HOUR,
    SPOT,
    history_items,
    ledger_bytes,
    ledger_key,
    raw_redis,
    redis_records,
    spot_bytes,
    spot_key,
)
from trade_assets_tests.support.materialise import PARTITION, Materialise, metadata, partitions
from trade_assets_tests.support.stores import Stores

NEXT = HOUR + timedelta(hours=1)


def state(settings: Settings, feed: Feed) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """All that Redis and DynamoDB hold of a feed."""
    return redis_records(settings, feed), history_items(settings)


def put_spot(stores: Stores) -> None:
    """Two files of the hour, the second with a row that is no quote, and one of the next hour."""
    stores.objects.put(spot_key(1), spot_bytes({"XCME.ZN.SEP25": 110.5, "XCME.ZF.SEP25": 108.0}))
    stores.objects.put(spot_key(3), spot_bytes({"XCME.ZN.SEP25": 110.515625}, "odd,x,1,,F,,,,"))
    stores.objects.put(spot_key(5, NEXT), spot_bytes({"XCME.ZN.SEP25": 111.0}))


def put_ledgers(stores: Stores) -> None:
    """The ledger as it stood in an hour and in the next, where a price had been corrected."""
    stores.objects.put(ledger_key(), ledger_bytes([111.5, 111.25, 111.0]))
    stores.objects.put(ledger_key(NEXT), ledger_bytes([111.5, 111.375, 111.0, 110.5]))


def test_an_hour_goes_into_both_stores_and_says_so(
    materialise: Materialise, stores: Stores
) -> None:
    put_spot(stores)
    result = materialise(SPOT)
    assert result.success
    (latest,) = stores.latest.read(SPOT, ["XCME.ZN.SEP25"])
    assert float(latest["bid_price"]) == 110.515625
    assert [float(r["bid_price"]) for r in stores.history.read(SPOT, "XCME.ZN.SEP25")] == [
        110.515625, 110.5,
    ]  # fmt: skip
    for layer in LAYERS:
        told = metadata(result, SPOT, layer)
        assert (told["files"], told["rows"], told["rejects"]) == (2, 3, 1)
        assert told["last_event_time"] - told["first_event_time"] == 2.0
        assert told["dagster/partition_row_count"] == 3
        assert not [name for name in told if "lag" in name]
        assert "XCME.ZN.SEP25" in told["preview"]
    assert metadata(result, SPOT, LATEST)["records_changed"] == 2
    assert metadata(result, SPOT, HISTORY)["items_put"] == 3


def test_a_rerun_leaves_no_lag_in_the_status(materialise: Materialise, stores: Stores) -> None:
    put_spot(stores)
    assert materialise(SPOT).success
    status = stores.latest.status(SPOT)
    assert status["last_file"] == spot_key(3)
    assert "lag_seconds" not in status


def test_each_hour_of_a_run_over_several_has_its_own_rows(
    materialise: Materialise, stores: Stores
) -> None:
    put_spot(stores)
    after = NEXT + timedelta(hours=1)
    tags = {
        RANGE_START_TAG: f"{HOUR:{PARTITION_FORMAT}}",
        RANGE_END_TAG: f"{after:{PARTITION_FORMAT}}",
    }
    result = materialise(SPOT, partition=None, tags=tags)
    assert result.success
    made = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
    ]
    rows = {
        (item.asset_key.path[-1], item.partition): item.metadata[ROW_COUNT].value for item in made
    }
    hours = [f"{hour:{PARTITION_FORMAT}}" for hour in (HOUR, NEXT, after)]
    assert rows == {
        (layer, hour): count
        for layer in LAYERS
        for hour, count in zip(hours, (3, 1, 0), strict=True)
    }


def test_checks_are_evaluated_and_bad_quotes_only_warn(
    materialise: Materialise, stores: Stores
) -> None:
    stores.objects.put(spot_key(1), spot_bytes({}, "A,2,1,,F,,,,", "B,-1,1,,F,,,,", "C,1,2,,F,,,,"))
    result = materialise(SPOT)
    assert result.success
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert {name: check.passed for name, check in checks.items()} == {
        "schema": True, "rows_accounted": True, "symbols": False, "quotes": False, "ticks": True,
    }  # fmt: skip
    assert checks["quotes"].severity is dg.AssetCheckSeverity.WARN
    assert checks["quotes"].metadata["crossed"].value == 1
    assert checks["quotes"].metadata["negative"].value == 1
    assert checks["symbols"].severity is dg.AssetCheckSeverity.WARN
    assert checks["symbols"].metadata["untranslated"].value == ["A", "B", "C"]


def test_prices_off_the_ticks_are_a_warning_with_their_rows(
    materialise: Materialise, stores: Stores
) -> None:
    key = spot_key(1)
    stores.objects.put(key, spot_bytes({"XCME.ZN.SEP25": 110.52, "XCME.ZF.SEP25": 108.0}))
    result = materialise(SPOT)
    assert result.success
    assert len(stores.latest.read(SPOT, ["XCME.ZN.SEP25"])) == 1
    (check,) = (c for c in result.get_asset_check_evaluations() if c.check_name == "ticks")
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.metadata["rows_off_tick"].value == 1
    rows = str(check.metadata["rows"].value)
    assert key in rows
    assert "| 110.52 |" in rows


def test_ledger_quarantine_and_status_follow_a_rerun(
    materialise: Materialise, stores: Stores
) -> None:
    put_spot(stores)
    name = spot_key(9)
    stores.objects.put(name, b"no header at all\n")
    assert materialise(SPOT).success
    lines = {key: stores.ledger.entries(key)[0] for key in (spot_key(1), spot_key(3), name)}
    assert [line["state"] for line in lines.values()] == ["stored", "stored", "quarantined"]
    assert [(line["rows_in"], line["rows_rejected"]) for line in lines.values()] == [
        ("2", "0"), ("2", "1"), ("0", "0"),
    ]  # fmt: skip
    held = [info.key for info in stores.objects.list_after("quarantine/")]
    assert [key for key in held if not key.endswith(".error.json")] == [
        f"quarantine/{spot_key(3)}", f"quarantine/{name}",
    ]  # fmt: skip
    assert stores.latest.status(SPOT)["last_file"] == spot_key(3)

    stores.objects.put(spot_key(3), spot_bytes({"XCME.ZN.SEP25": 110.515625}))
    stores.objects.put(name, spot_bytes({"XCME.ZN.SEP25": 110.53125}))
    assert materialise(SPOT).success
    assert list(stores.objects.list_after("quarantine/")) == []


@pytest.mark.parametrize("feed", [SPOT, FILLS], ids=lambda feed: feed.name)
def test_materialising_again_changes_nothing_and_repairs_what_was_damaged(
    materialise: Materialise, stores: Stores, provisioned: Settings, feed: Feed
) -> None:
    put_spot(stores)
    put_ledgers(stores)
    for hour in (NEXT, HOUR, HOUR):
        before = state(provisioned, feed)
        assert materialise(feed, partition=hour.strftime(PARTITION_FORMAT)).success
    whole = state(provisioned, feed)
    assert whole == before

    damage(provisioned, feed, whole)
    assert state(provisioned, feed) != whole
    for hour in (HOUR, NEXT):
        assert materialise(feed, partition=hour.strftime(PARTITION_FORMAT)).success
    assert state(provisioned, feed) == whole


def damage(
    settings: Settings, feed: Feed, whole: tuple[Mapping[str, Any], list[dict[str, Any]]]
) -> None:
    """Lose the newest records of one key, change another's, lose an item, and change the others."""
    hashes = [key for key in whole[0] if key != "keys"]
    with raw_redis(settings) as client:
        client.delete(hashes[0], f"keys:{feed.source}:{feed.name}")
        for key in hashes[1:]:
            client.hset(key, "extra", "damaged")
    dynamodb = dynamodb_client(settings)
    lost, *others = whole[1]
    dynamodb.delete_item(TableName=settings.history_table, Key={"pk": lost["pk"], "sk": lost["sk"]})
    for item in others:
        changed = {**item, "extra": {"S": "damaged"}}
        dynamodb.put_item(TableName=settings.history_table, Item=changed)


@pytest.mark.parametrize("feed", [SPOT, FILLS], ids=lambda feed: feed.name)
def test_a_downstream_asset_loads_what_was_written(
    materialise: Materialise, stores: Stores, feed: Feed
) -> None:
    put_spot(stores)
    put_ledgers(stores)
    loaded: dict[str, pl.DataFrame] = {}

    @dg.asset(
        ins={name: dg.AssetIn(key=layer_key(feed, name)) for name in (LATEST, HISTORY)},
        partitions_def=LoadedHours(EARLIEST).partitions,
    )
    def downstream(latest: pl.DataFrame, history: pl.DataFrame) -> None:
        loaded.update(latest=latest, history=history)

    assert materialise(feed).success
    assert materialise(feed, [], extra=[downstream]).success
    key = spot_key(3) if feed is SPOT else ledger_key()
    file_name = key.rsplit("/", 1)[-1]
    parsed = feed.parse(stores.objects.get(key).data, file_name).frame
    own = ["record_key", "event_time", "row", *feed.schema]
    for frame in loaded.values():
        assert frame.schema == feed.record_schema
        of_file = frame.filter(pl.col("file_key") == key).select(own)
        assert_frame_equal(of_file.sort("row"), parsed.select(own).sort("row"))
    assert loaded["latest"].height == (2 if feed is SPOT else 3)
    assert loaded["history"].height == 3


@pytest.mark.parametrize("layers", [[FILES], [LATEST], [HISTORY], [LATEST, HISTORY]])
def test_layers_can_be_materialised_by_themselves(
    materialise: Materialise, stores: Stores, provisioned: Settings, layers: list[str]
) -> None:
    put_spot(stores)
    result = materialise(SPOT, layers)
    assert result.success
    assert {event.asset_key for event in result.get_asset_materialization_events()} == {
        layer_key(SPOT, layer) for layer in layers
    }
    assert bool(stores.latest.record_keys(SPOT)) == (LATEST in layers)
    assert bool(history_items(provisioned)) == (HISTORY in layers)
    # Only what is in both stores is accounted for.
    assert bool(stores.ledger.entries(spot_key(1))) == (len(layers) == 2)


def test_a_range_of_hours_is_one_run(materialise: Materialise, stores: Stores) -> None:
    put_spot(stores)
    last = (HOUR + timedelta(hours=3)).strftime(PARTITION_FORMAT)
    result = materialise(
        SPOT, partition=None, tags={RANGE_START_TAG: PARTITION, RANGE_END_TAG: last}
    )
    assert result.success
    assert partitions(result, SPOT, HISTORY) == [
        (HOUR + timedelta(hours=hours)).strftime(PARTITION_FORMAT) for hours in range(4)
    ]
    assert len(list(stores.history.read(SPOT, "XCME.ZN.SEP25"))) == 3
    assert float(stores.latest.read(SPOT, ["XCME.ZN.SEP25"])[0]["bid_price"]) == 111.0


def test_an_hour_without_files_is_materialised_as_empty(
    materialise: Materialise, provisioned: Settings
) -> None:
    result = materialise(SPOT)
    assert result.success
    assert metadata(result, SPOT, FILES)["files"] == 0
    assert history_items(provisioned) == []


def test_only_the_files_that_are_asked_for_are_read(
    materialise: Materialise, stores: Stores
) -> None:
    put_spot(stores)
    config = {"ops": {"actant__spot_risk": {"config": {"files": [spot_key(3)]}}}}
    assert materialise(SPOT, run_config=config).success
    assert len(list(stores.history.read(SPOT, "XCME.ZN.SEP25"))) == 1
