"""Hours of the derived data sets through a real materialisation: both stores, figures, check."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trade_assets.datasets.keys import HISTORY, LATEST, LAYERS, PARTITION_FORMAT, STORED_LAYERS
from trade_assets.defs.feeds.derived_checks import derived_outcome
from trade_assets.defs.feeds.hour_job import RANGE_END_TAG, RANGE_START_TAG, hour_run_request
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.loaded_hours import EARLIEST, LoadedHours
from trade_assets.defs.shared.names import DERIVED_CHECK
from trade_assets.feeds.datasets import DERIVED
from trade_assets.feeds.derivation import DerivedFigures
from trade_assets.feeds.derived.declarations import GREEKS, POSITIONS, Derived
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.derived_files import (
    CALLS,
    chain_bytes,
    keep,
    sod_bytes,
    sod_key,
    times_bytes,
    times_key,
)
from trade_assets_tests.stores.samples import (
    FILLS,
    HOUR,
    SPOT,
    history_items,
    ledger_bytes,
    ledger_key,
    raw_redis,
    redis_records,
    spot_key,
)
from trade_assets_tests.support.materialise import PARTITION, Materialise, metadata, partitions
from trade_assets_tests.support.stores import Stores

NEXT = HOUR + timedelta(hours=1)
NEXT_PARTITION = NEXT.strftime(PARTITION_FORMAT)
BOTH_HOURS = {RANGE_START_TAG: PARTITION, RANGE_END_TAG: NEXT_PARTITION}


def put_chains(stores: Stores) -> None:
    """Two chains of the hour and one of the next; the second's calls cost less than they must."""
    stores.objects.put(spot_key(1), chain_bytes(110.5))
    stores.objects.put(spot_key(3), chain_bytes(112.0))
    stores.objects.put(spot_key(3605, NEXT), chain_bytes(110.25))


def put_ledgers(stores: Stores) -> None:
    """The ledger as it stood in an hour and in the next, where a price had been corrected."""
    stores.objects.put(ledger_key(), ledger_bytes([111.5, 111.25]))
    stores.objects.put(ledger_key(NEXT), ledger_bytes([111.5, 111.375, 111.0]))


@pytest.fixture
def ready(stores: Stores) -> Stores:
    """Stores with the inputs, and with the origins' files in the bucket."""
    keep(stores, times_key(0), times_bytes(2.0))
    keep(stores, sod_key(), sod_bytes(5, 110.0))
    put_chains(stores)
    put_ledgers(stores)
    return stores


def state(settings: Settings, dataset: Derived) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """All that both stores hold of a derived data set."""
    pk = f"{dataset.source}#{dataset.name}#"
    items = [item for item in history_items(settings) if item["pk"]["S"].startswith(pk)]
    return redis_records(settings, dataset), items


def check_of(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    """The one check that a run of a derived data set evaluates."""
    (check,) = result.get_asset_check_evaluations()
    assert check.check_name == DERIVED_CHECK
    return check


def test_an_hour_of_greeks_goes_into_both_stores_and_says_so(
    materialise: Materialise, ready: Stores
) -> None:
    result = materialise(GREEKS)
    assert result.success
    assert ready.latest.record_keys(GREEKS) == CALLS
    latest = ready.latest.frame(GREEKS, CALLS)
    assert latest["reason"].to_list() == ["below_intrinsic"] * 3
    prices = [float(row["future_price"]) for row in ready.history.read(GREEKS, CALLS[1])]
    assert prices == [112.0 + 1 / 128, 110.5 + 1 / 128]
    (_, first) = ready.history.read(GREEKS, CALLS[1])
    assert 0 < float(first["delta"]) < 0.5
    assert "reason" not in first
    assert check_of(result).passed
    for layer in STORED_LAYERS:
        told = metadata(result, GREEKS, layer)
        assert told["rows"] == 6
        assert (told["options"], told["solved"], told["below_intrinsic"]) == (6, 3, 3)
        assert told["last_event_time"] - told["first_event_time"] == 2.0
        assert CALLS[0] in told["preview"]
    assert metadata(result, GREEKS, LATEST)["records_changed"] == 3
    assert metadata(result, GREEKS, HISTORY)["items_put"] == 6


def test_an_hour_of_positions_goes_into_both_stores_and_says_so(
    materialise: Materialise, ready: Stores
) -> None:
    result = materialise(POSITIONS, partition=NEXT_PARTITION)
    assert result.success
    (latest,) = ready.latest.read(POSITIONS, ["ZNU25"])
    (item,) = ready.history.read(POSITIONS, "ZNU25")
    for found in (latest, item):
        assert [float(found[name]) for name in ("opening_quantity", "position_quantity")] == [5, 8]
        assert found["opening_source"] == "sod"
    for layer in STORED_LAYERS:
        told = metadata(result, POSITIONS, layer)
        assert (told["rows"], told["positions"], told["open"], told["fills"]) == (1, 1, 1, 3)
    assert check_of(result).passed


def test_the_check_fails_where_nothing_could_be_solved(
    materialise: Materialise, stores: Stores
) -> None:
    put_chains(stores)
    result = materialise(GREEKS)
    assert result.success
    check = check_of(result)
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    told = {name: value.value for name, value in check.metadata.items()}
    assert (told["rows"], told["solved"], told["no_time_to_expiry"]) == (6, 0, 6)

    keep(stores, times_key(0), times_bytes(2.0))
    check = check_of(materialise(GREEKS, partition=NEXT_PARTITION))
    assert check.passed
    assert check.metadata["solved"].value == 3


def test_the_check_fails_with_what_could_not_be_derived() -> None:
    figures = DerivedFigures(POSITIONS, PARTITION)
    assert derived_outcome(figures).passed
    figures.fail("no model")
    figures.fail("no model")
    outcome = derived_outcome(figures)
    assert not outcome.passed
    assert outcome.metadata["failures"] == ["no model"]
    assert outcome.asset_key == layer_key(POSITIONS, LATEST)


def test_an_hour_without_files_is_materialised_as_empty(
    materialise: Materialise, provisioned: Settings
) -> None:
    result = materialise(GREEKS)
    assert result.success
    assert metadata(result, GREEKS, LATEST)["rows"] == 0
    assert check_of(result).passed
    assert history_items(provisioned) == []


@pytest.mark.parametrize("dataset", DERIVED.values(), ids=lambda dataset: dataset.name)
def test_a_range_of_hours_is_one_run_and_running_it_again_changes_nothing(
    materialise: Materialise, ready: Stores, provisioned: Settings, dataset: Derived
) -> None:
    result = materialise(dataset, partition=None, tags=BOTH_HOURS)
    assert result.success
    for layer in STORED_LAYERS:
        assert partitions(result, dataset, layer) == [PARTITION, NEXT_PARTITION]
    whole = state(provisioned, dataset)
    assert len(whole[1]) == (9 if dataset is GREEKS else 1)
    # An older hour by itself, and what came later stays.
    assert materialise(dataset).success
    assert state(provisioned, dataset) == whole

    with raw_redis(provisioned) as client:
        client.flushdb()
    keep(ready, sod_key(), sod_bytes(5, 110.0))
    assert materialise(dataset, partition=None, tags=BOTH_HOURS).success
    assert state(provisioned, dataset) == whole


@pytest.mark.parametrize("dataset", DERIVED.values(), ids=lambda dataset: dataset.name)
def test_a_downstream_asset_loads_what_was_written(
    materialise: Materialise, ready: Stores, dataset: Derived
) -> None:
    loaded: dict[str, pl.DataFrame] = {}

    @dg.asset(
        ins={name: dg.AssetIn(key=layer_key(dataset, name)) for name in STORED_LAYERS},
        partitions_def=LoadedHours(EARLIEST).partitions,
    )
    def downstream(latest: pl.DataFrame, history: pl.DataFrame) -> None:
        loaded.update(latest=latest, history=history)

    assert materialise(dataset).success
    assert materialise(dataset, [], extra=[downstream]).success
    for frame in loaded.values():
        assert frame.schema == dataset.record_schema
    newest = loaded["history"].filter(pl.col("event_time") == pl.col("event_time").max())
    assert_frame_equal(loaded["latest"], newest, check_row_order=False)
    assert loaded["history"].height == (6 if dataset is GREEKS else 1)


@pytest.mark.parametrize("layer", STORED_LAYERS)
def test_layers_can_be_materialised_by_themselves(
    materialise: Materialise, ready: Stores, provisioned: Settings, layer: str
) -> None:
    result = materialise(GREEKS, [layer])
    assert result.success
    assert {event.asset_key for event in result.get_asset_materialization_events()} == {
        layer_key(GREEKS, layer)
    }
    assert bool(ready.latest.record_keys(GREEKS)) == (layer == LATEST)
    assert bool(state(provisioned, GREEKS)[1]) == (layer == HISTORY)


def test_only_the_files_that_are_asked_for_are_derived_from(
    materialise: Materialise, ready: Stores
) -> None:
    config = {"ops": {"derived__greeks": {"config": {"files": [spot_key(1)]}}}}
    result = materialise(GREEKS, run_config=config)
    assert result.success
    assert metadata(result, GREEKS, LATEST)["rows"] == 3
    (row,) = ready.history.read(GREEKS, CALLS[0])
    assert row["file_key"] == spot_key(1)


def test_a_run_for_certain_files_carries_what_is_derived_from_them() -> None:
    files = {SPOT.path: [spot_key(1), spot_key(3)], FILLS.path: [ledger_key()]}
    request = hour_run_request([PARTITION, NEXT_PARTITION], files, "key")
    assert set(request.asset_selection or ()) == {
        *(layer_key(feed, layer) for feed in (SPOT, FILLS) for layer in LAYERS),
        *(layer_key(item, layer) for item in (GREEKS, POSITIONS) for layer in STORED_LAYERS),
    }
    assert request.run_config["ops"] == {
        "actant__spot_risk": {"config": {"files": [spot_key(1), spot_key(3)]}},
        "derived__greeks": {"config": {"files": [spot_key(1), spot_key(3)]}},
        "tt__fills": {"config": {"files": [ledger_key()]}},
        "derived__positions": {"config": {"files": [ledger_key()]}},
    }


def test_a_run_for_files_of_which_nothing_is_derived_carries_nothing_else() -> None:
    request = hour_run_request([PARTITION], {"actant/vtexp": [times_key(0)]}, "key")
    assert {key.path[1] for key in request.asset_selection or ()} == {"vtexp"}
    assert list(request.run_config["ops"]) == ["actant__vtexp"]
