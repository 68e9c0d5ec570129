"""When the TT snapshots are alarming (the API, and slots in a row of which nothing was kept), and
that a look opens and ends such an alarm.
"""

from datetime import UTC, datetime

from trade_assets.monitor.alarms.conditions import Condition
from trade_assets.monitor.alarms.evaluator import LEASE_SECONDS
from trade_assets.monitor.alarms.state_store import AlarmStateStore
from trade_assets.remote.protection.limits import BreakerState, ProtectionState
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.connections import Connections
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.tt_alarms import TtAlarms, tt_conditions
from trade_assets.tt.tt_stores import TtStores

CALM = ProtectionState(
    name="tt:ext_prod_sim",
    breaker=BreakerState.CLOSED,
    failures=0,
    open_seconds_left=0.0,
    budget_used=100,
    budget_limit=15_000,
    per_second=5,
    counters={},
)


def slots(missed: int, **settings: object) -> Condition:
    """The condition of the slots."""
    return tt_conditions(CALM, missed, load_settings(**settings).alarms)[-1]


def test_nothing_is_alarming_when_all_is_well() -> None:
    found = tt_conditions(CALM, 0, load_settings().alarms)
    assert [item.name for item in found] == [
        "tt:ext_prod_sim:breaker",
        "tt:ext_prod_sim:budget",
        "tt:ext_prod_sim:slots",
    ]
    assert [item.active for item in found] == [False, False, False]


def test_missed_slots_alarm_from_the_configured_number_on() -> None:
    assert [slots(missed).active for missed in (0, 2, 3, 4)] == [False, False, True, True]
    assert slots(2, alarm_missed_slots=2).active
    assert slots(7).detail == "7 slots in a row were missed."


def test_missed_slots_alarm_and_a_taken_one_ends_it(provisioned: Settings) -> None:
    client = connect(provisioned)
    always = OpenHours.parse(["always"])
    names = [f"tt:{provisioned.tt.environment.value}:slots"]
    with TtStores(Connections(provisioned)) as stores:
        alarms, opened = TtAlarms(provisioned), AlarmStateStore(client, LEASE_SECONDS)
        now = datetime.now(UTC)
        assert alarms.look(stores, always, now - 10 * SLOT) == []
        assert [episode.name for episode in opened.open_episodes()] == names
        taken = SlotSummary(
            slot_at(now), True, 1.0, kinds={"orders": "taken", "fills": "failed: 503"}
        )
        stores.slot_board.write_taken(taken)
        assert alarms.look(stores, always, now - 10 * SLOT) == []
        assert opened.open_episodes() == []
    disconnect(client)
