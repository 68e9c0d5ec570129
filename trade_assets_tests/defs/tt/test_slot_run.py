"""The run of a slot through Dagster: what it writes, reports, and does when TT does not answer."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Self

import dagster as dg
import pytest

from trade_assets.datasets.keys import PARTITION_FORMAT, RAW, SNAPSHOT_LAYERS
from trade_assets.definitions import build_definitions
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import FRESHNESS_CHECK, ROWS_CHECK, SLOT_JOB, TT
from trade_assets.defs.tt import checks as checks_module
from trade_assets.defs.tt.slot_runs import slot_run_request
from trade_assets.settings import Settings
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import slot_at, slot_of_text
from trade_assets.tt.slots import take as take_module
from trade_assets_tests.defs.tt.fake_tt import FakeTt
from trade_assets_tests.support.stores import Stores

ORDERS = SNAPSHOTS["tt/orders"]
FILLS = SNAPSHOTS["tt/tt_fills"]


@pytest.fixture
def open_slot(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The slot that has just begun, by a clock that stands still: however long a run takes."""
    slot = slot_at(datetime.now(UTC))

    class Standing(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            now = slot + timedelta(seconds=0.5)
            return cls.fromtimestamp(now.timestamp(), tz)

    monkeypatch.setattr(take_module, "datetime", Standing)
    monkeypatch.setattr(checks_module, "datetime", Standing)
    return slot


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def stores(provisioned: Settings) -> Iterator[Stores]:
    with Stores(provisioned) as made:
        yield made


def take(
    stores: Stores, instance: dg.DagsterInstance, api: FakeTt, slot: datetime
) -> dg.ExecuteInProcessResult:
    """Run what the sensor requests for a slot."""
    definitions = build_definitions(settings=stores.settings, resource_overrides={TT: api})
    request = slot_run_request(slot)
    return definitions.resolve_job_def(SLOT_JOB).execute_in_process(
        run_config=request.run_config, instance=instance, raise_on_error=False
    )


def materialised(result: dg.ExecuteInProcessResult) -> dict[dg.AssetKey, dg.AssetMaterialization]:
    """What a run materialised, by asset."""
    events = result.get_asset_materialization_events()
    found = [event.step_materialization_data.materialization for event in events]
    return {item.asset_key: item for item in found}


def failure_of(result: dg.ExecuteInProcessResult) -> tuple[str, dict[str, Any]]:
    """Why the op failed: the words and the metadata."""
    data = result.failure_data_for_node("take_slot")
    assert data is not None
    assert data.user_failure_data is not None
    return str(data.user_failure_data.description), values(data.user_failure_data.metadata)


def checks(result: dg.ExecuteInProcessResult) -> dict[tuple[str, str], bool]:
    """Checks that a run evaluated: asset and check to what came out."""
    return {
        (check.asset_key.path[1], check.check_name): check.passed
        for check in result.get_asset_check_evaluations()
    }


def values(metadata: Mapping[str, dg.MetadataValue[Any]]) -> dict[str, Any]:
    return {name: value.value for name, value in metadata.items()}


def test_a_slot_goes_into_all_stores_and_says_so(
    stores: Stores, instance: dg.DagsterInstance, open_slot: datetime
) -> None:
    slot, api = open_slot, FakeTt()
    result = take(stores, instance, api, slot)
    assert result.success
    found = materialised(result)
    assert found.keys() == {
        layer_key(snapshot, layer) for snapshot in SNAPSHOTS.values() for layer in SNAPSHOT_LAYERS
    }
    hour = slot.replace(minute=0, second=0).strftime(PARTITION_FORMAT)
    assert {item.partition for item in found.values()} == {hour}
    raw = values(found[layer_key(ORDERS, RAW)].metadata)
    assert raw["rows"] == 2
    assert raw["breaker"] == "closed"
    assert (raw["budget_used"], raw["budget_used_percent"]) == (1500, 10.0)
    assert raw["calls"] == len(api.asked) == 4
    assert raw["first_call_offset_seconds"] == 0.5
    assert stores.objects.get(raw["key"]).data
    assert stores.latest.record_keys(ORDERS) == ["order-1", "order-2"]
    assert len(list(stores.history.read(FILLS, "exec-1"))) == 1
    assert checks(result) == {
        (snapshot.name, check): True
        for snapshot in SNAPSHOTS.values()
        for check in (FRESHNESS_CHECK, ROWS_CHECK)
    }


def test_a_slot_taken_again_asks_nothing_and_says_no_check_again(
    stores: Stores, instance: dg.DagsterInstance, open_slot: datetime
) -> None:
    slot, api = open_slot, FakeTt()
    take(stores, instance, api, slot)
    asked = len(api.asked)
    again = take(stores, instance, api, slot)
    assert again.success
    assert len(api.asked) == asked
    assert checks(again) == {}
    assert len(list(stores.history.read(FILLS, "exec-1"))) == 1


def test_a_kind_that_fails_is_left_out_and_the_others_go_on(
    stores: Stores, instance: dg.DagsterInstance, open_slot: datetime
) -> None:
    result = take(stores, instance, FakeTt(failing={"positions"}), open_slot)
    assert result.success
    names = {key.path[1] for key in materialised(result)}
    assert names == {"orders", "tt_fills", "instruments"}
    (note,) = stores.slot_log.notes(result_slot(result), datetime.now(UTC))
    assert "503 from TT" in note.reason


def result_slot(result: dg.ExecuteInProcessResult) -> datetime:
    """The slot of a run."""
    ops: Any = result.dagster_run.run_config["ops"]
    return slot_of_text(ops["take_slot"]["config"]["slot"])


def test_a_slot_of_which_nothing_was_kept_fails_with_the_reasons(
    stores: Stores, instance: dg.DagsterInstance, open_slot: datetime
) -> None:
    api = FakeTt(failing={"orders", "fills", "positions"})
    result = take(stores, instance, api, open_slot)
    assert not result.success
    assert materialised(result) == {}
    description, reasons = failure_of(result)
    assert "503 from TT" in description
    assert reasons["orders"] == "failed: orders: 503 from TT"
    assert reasons["breaker"] == "closed"


def test_an_old_slot_is_not_asked_for(stores: Stores, instance: dg.DagsterInstance) -> None:
    api = FakeTt()
    result = take(stores, instance, api, datetime(2025, 5, 15, 17, 0, tzinfo=UTC))
    assert not result.success
    assert api.asked == []
    assert "too late" in failure_of(result)[0]


@pytest.mark.parametrize("text", ["now", "2025-05-15T17:00:00", "20250515T170001Z", ""])
def test_what_is_no_slot_is_refused(
    module_settings: Settings, instance: dg.DagsterInstance, text: str
) -> None:
    definitions = build_definitions(settings=module_settings, resource_overrides={TT: FakeTt()})
    result = definitions.resolve_job_def(SLOT_JOB).execute_in_process(
        run_config={"ops": {"take_slot": {"config": {"slot": text}}}},
        instance=instance,
        raise_on_error=False,
    )
    assert not result.success
    assert failure_of(result)[0].startswith("no slot")
