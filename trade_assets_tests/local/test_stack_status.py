"""What the line of `trade-assets up` says of the TT slots."""

from datetime import UTC, datetime
from typing import Any

import pytest

from trade_assets.local.stack_status import SlotStatus, StackStatus, StatusReader, data_line
from trade_assets.settings import Settings
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets_tests.support.stores import Stores

SLOT_TIME = datetime(2025, 7, 17, 19, 33, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("tt", "words"),
    [
        (SlotStatus(SLOT_TIME, 0.814, "", 0), "TT 19:33:30Z in 0.81 s"),
        (SlotStatus(SLOT_TIME, 9.0, "TT is away", 0), "TT 19:33:30Z TT is away"),
        (SlotStatus(SLOT_TIME, 0.8, "", 4), "TT 19:33:30Z in 0.80 s, 4 missed"),
    ],
)
def test_the_newest_slot_ends_the_line(tt: SlotStatus, words: str) -> None:
    assert data_line(StackStatus(history_bytes=2_100_000, tt=tt)) == f"history 2 MB · {words}"


@pytest.mark.integration
def test_the_reader_finds_the_newest_slot(provisioned: Settings) -> None:
    reader = StatusReader(provisioned)
    try:
        assert reader.read().tt is None
        slot = slot_at(datetime.now(UTC)) - 5 * SLOT
        with Stores(provisioned) as stores:
            for whole in (True, False):
                taken = SlotSummary(slot, whole, 0.8, kinds={"orders": "taken"})
                stores.slot_board.write_taken(taken)
                found: Any = reader.read().tt
                assert (found.slot, found.seconds) == (slot, 0.8)
                assert found.problem == ("" if whole else "not whole")
                assert 4 <= found.missed_in_a_row < 120
    finally:
        reader.close()
