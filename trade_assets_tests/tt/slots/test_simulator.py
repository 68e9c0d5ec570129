"""Slots taken with the real client from the TT simulator, a process of its own."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.settings import Settings, TtTier
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.client.tt_client import TtClient
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.formats.slot_times import SLOT, hour_of, slot_at
from trade_assets.tt.slots.results import SlotOutcome, SlotResult
from trade_assets.tt.slots.take import SnapshotTaker
from trade_assets_tests.stores.samples import history_items
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.tt import Simulator, running_simulator
from trade_assets_tests.support.waiting import PATIENCE_SECONDS
from trade_assets_tests.tt.slots.conftest import forget_history, forget_redis, wipe
from trade_assets_tests.tt.slots.rerun import contents, rerun

FILL_PAGE = 20
OPTIONS = [
    *("--orders", "25", "--order-page", "10", "--fill-page", str(FILL_PAGE)),
    *("--redirect-share", "0.2", "--per-second", "1000", "--fills-per-minute", "0"),
]


@pytest.fixture(scope="module")
def simulator(module_settings: Settings) -> Iterator[Simulator]:
    with running_simulator(module_settings, *OPTIONS) as running:
        yield running


class Slots:
    """Slots that have just been, taken as if it were their time."""

    def __init__(self, settings: Settings, stores: Stores, client: TtClient) -> None:
        self.settings = settings
        self.stores = stores
        self._client = client
        self._slot = slot_at(datetime.now(UTC)) - 20 * SLOT
        self.slots: list[datetime] = []

    def take(self) -> SlotResult:
        """The next slot."""
        self._slot += SLOT
        slot = self._slot
        self.slots.append(slot)
        stores = self.stores
        taker = SnapshotTaker(
            self.settings, stores, self._client, stores.latest, stores.history,
            lambda: slot + timedelta(seconds=1),
        )  # fmt: skip
        return taker.take(slot, "run")

    def fills(self) -> Counter[str]:
        """Fills in the history, by id."""
        found = history_items(self.settings)
        return Counter(item["record_key"]["S"] for item in found if item["feed"]["S"] == "tt_fills")


@pytest.fixture
def slots(simulator: Simulator) -> Iterator[Slots]:
    wipe(simulator.settings)
    simulator.clear()
    patient = {"tt_tier": TtTier.HIGH, "tt_call_seconds": PATIENCE_SECONDS}
    settings = simulator.settings.changed(patient)
    with ExitStack() as stack:
        redis = connect(settings)
        stack.callback(disconnect, redis)
        client = stack.enter_context(TtClient(settings, redis, fills_per_answer=FILL_PAGE))
        yield Slots(settings, stack.enter_context(Stores(settings)), client)
    simulator.clear()


def test_slots_are_whole_and_a_rerun_is_the_same(slots: Slots, simulator: Simulator) -> None:
    first = slots.take()
    assert first.whole, first
    assert first.kinds["orders"].rows >= 25
    assert first.kinds["instruments"].rows > 0
    assert first.kinds["instruments"].rejected == 0
    known = slots.fills()
    for same_ns in (1, 7, FILL_PAGE - 1):
        simulator.fills(2 * FILL_PAGE, same_ns=same_ns)
        result = slots.take()
        assert result.whole, result
        assert result.kinds["fills"].rows == 2 * FILL_PAGE
        assert slots.take().kinds["fills"].rows == 0
    found = slots.fills()
    assert set(found.values()) == {1}
    assert found.total() == known.total() + 3 * 2 * FILL_PAGE

    live = contents(slots.settings)
    asked = simulator.requests()["recent"]
    forget_redis(slots.settings)
    forget_history(slots.settings)
    rerun(slots.stores, {hour_of(slot) for slot in slots.slots})
    assert contents(slots.settings) == live
    assert simulator.requests()["recent"] == asked


@pytest.mark.parametrize("fault", ["malformed", "maintenance", "server_error"])
def test_faults_of_orders_cost_the_orders_only(
    slots: Slots, simulator: Simulator, fault: str
) -> None:
    assert slots.take().whole
    simulator.fault(fault=fault, service="ttledger", endpoint="orders")
    result = slots.take()
    assert result.outcome is SlotOutcome.PARTIAL
    assert [item.kind for item in result.kinds.values() if not item.stored] == ["orders"]
    assert result.reason.startswith("orders: ")
    simulator.clear()
    assert slots.take().kinds["positions"].written
    picture = slots.stores.latest.read_set(ORDERS)
    assert picture is not None
    assert picture.records
