"""What the sensor tells the alarms: how many slots in a row were missed; and who hears of it."""

from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.defs.tt.slot_alarms import TtAlarms
from trade_assets.monitor.alarms.evaluator import Alarms
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_counts import missed_in_a_row
from trade_assets_tests.support.stores import Stores

ALWAYS = OpenHours.parse(["always"])
NOON = datetime(2026, 11, 18, 18, 0, tzinfo=UTC)
TAKEN = {"orders": "taken", "fills": "failed: 503"}
FAILED = {"orders": "failed: 503", "fills": "missed: too late"}


def board(number: int, kinds: dict[str, str], last_whole: int | None = None) -> SlotSummary:
    """The board with the slot of this number after noon."""
    slot = NOON + number * SLOT
    whole = None if last_whole is None else NOON + last_whole * SLOT
    kept = slot if "taken" in kinds.values() else whole
    return SlotSummary(slot, False, 1.0, kinds=kinds, last_whole=whole, last_kept=kept)


@pytest.mark.parametrize(
    ("seen", "seconds", "missed"),
    [
        (None, 0, 0),
        (None, 29, 0),
        (None, 30, 1),
        (None, 95, 3),
        (board(3, TAKEN), 95, 0),
        (board(3, TAKEN), 125, 0),
        (board(3, TAKEN), 200, 2),
        (board(3, FAILED), 125, 4),
        (board(3, FAILED, 1), 125, 2),
        (board(99, TAKEN), 125, 0),
        (None, 90_000, 2880),
    ],
)
def test_slots_of_which_nothing_was_kept_are_missed(
    seen: SlotSummary | None, seconds: float, missed: int
) -> None:
    now = NOON + timedelta(seconds=seconds)
    assert missed_in_a_row(ALWAYS, seen, now, NOON) == missed


def test_slots_that_were_not_due_are_not_missed() -> None:
    hours = OpenHours.parse(["Wed 12:00-Wed 12:01"])
    assert missed_in_a_row(hours, None, NOON + timedelta(hours=3), NOON) == 2


def test_before_the_first_look_nothing_is_missed() -> None:
    assert missed_in_a_row(ALWAYS, None, NOON) is None


def test_missed_slots_alarm_and_a_taken_one_ends_it(provisioned: Settings) -> None:
    client = connect(provisioned)
    names = [f"tt:{provisioned.tt.environment.value}:slots"]
    with Stores(provisioned) as stores:
        alarms, opened = TtAlarms(provisioned), Alarms(provisioned, client)
        now = datetime.now(UTC)
        assert alarms.look(stores, ALWAYS, now - 10 * SLOT) == []
        assert [episode.name for episode in opened.open_episodes()] == names
        stores.slot_board.write_taken(SlotSummary(slot_at(now), True, 1.0, kinds=TAKEN))
        assert alarms.look(stores, ALWAYS, now - 10 * SLOT) == []
        assert opened.open_episodes() == []
        opened.close()
    disconnect(client)
