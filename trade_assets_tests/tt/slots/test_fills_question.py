"""Every fill is kept exactly once, whatever happens between the slots."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.errors import RemoteUnavailableError
from trade_assets.settings import Settings
from trade_assets.tt.formats.fills_chain import LOOK_BACK
from trade_assets.tt.formats.fills_snapshot import TT_FILLS
from trade_assets.tt.formats.slot_times import hour_of
from trade_assets.tt.formats.snapshot_keys import parse_snapshot_key
from trade_assets.tt.slots.results import KindState, SlotOutcome
from trade_assets_tests.stores.samples import history_items, redis_records
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.conftest import (
    Desk,
    forget_history,
    forget_redis,
    new_desk,
    slot_of,
    wipe,
)
from trade_assets_tests.tt.slots.model import FILLS_A_PAGE
from trade_assets_tests.tt.slots.rerun import rerun

LOOK_BACK_NS = LOOK_BACK // timedelta(microseconds=1) * 1000
ACTIONS = ("take", "take", "take", "miss", "fail", "stop", "twice", "ahead", "redis lost")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTIONS),
        # From a fill to the next: often none, so that many share a nanosecond.
        st.lists(st.sampled_from([0, 0, 0, 1, 7]), max_size=7),
        # From a slot to the next one; a desk may sleep over a weekend.
        st.sampled_from([1, 1, 1, 2, 130, 5800]),
    ),
    min_size=1,
    max_size=7,
)


class Trading:
    """Lets fills happen and slots be taken, and remembers what happened."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.number = 0
        self.last_ns = desk.time_ns(-1)
        self.ties = 0

    def trade(self, steps: list[int]) -> None:
        """Fills, each so many nanoseconds after the one before."""
        for step in steps:
            # More of one nanosecond than a page holds cannot be asked for at TT.
            self.ties = self.ties + 1 if step == 0 and self.ties < FILLS_A_PAGE - 2 else 0
            self.last_ns += 0 if self.ties else max(step, 1)
            self.desk.model.fill(f"f{len(self.desk.model.fills)}", self.last_ns)

    def act(self, action: str, ahead: int) -> None:
        """One slot, and the way to the next."""
        desk, faults = self.desk, self.desk.api.faults
        if action == "fail":
            faults["fills"] = _unavailable
        if action == "stop":
            faults["fills/page"] = _unavailable
        if action == "redis lost":
            forget_redis(desk.settings)
        if action == "ahead":
            desk.take(self.number + 100)
        if action != "miss":
            desk.take(self.number)
        if action == "twice":
            desk.take(self.number, late=20.0)
        faults.clear()
        self.number += ahead


def _unavailable() -> Exception:
    return RemoteUnavailableError("503")


def fills_kept(desk: Desk) -> Counter[str]:
    """Fills by id, in all documents."""
    kept: Counter[str] = Counter()
    for item in history_items(desk.settings):
        if item["pk"]["S"].startswith("tt#tt_fills#"):
            kept[item["record_key"]["S"]] += 1
    return kept


@examples(
    max_examples=8,
    # To shrink an example over real stores takes minutes; the steps of any tell enough.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(STEPS)
def test_fills_are_neither_lost_nor_doubled(
    capture_settings: Settings, steps: list[tuple[str, list[int], int]]
) -> None:
    wipe(capture_settings)
    with Stores(capture_settings) as stores:
        desk = new_desk(capture_settings, stores)
        trading = Trading(desk)
        # The first one reaches back to the start of its trading day; from it on nothing is lost.
        trading.act("take", 1)
        for action, fills, ahead in steps:
            trading.trade(fills)
            trading.act(action, ahead)
        assert desk.take(trading.number + 101).whole
        expected = Counter(str(fill["uniqueExecId"]) for fill in desk.model.fills)
        assert fills_kept(desk) == expected

        forget_history(desk.settings)
        hours = {hour_of(slot_of(0)), *_hours(desk)}
        rerun(stores, hours)
        assert fills_kept(desk) == expected
        assert redis_records(desk.settings, TT_FILLS)["keys"].keys() == expected.keys()


def _hours(desk: Desk) -> set[Any]:
    infos = desk.documents.infos_after("fills", slot_of(-1))
    return {hour_of(parse_snapshot_key(info.key).slot) for info in infos}


def test_fills_of_one_nanosecond_come_once_each_over_pages_and_slots(desk: Desk) -> None:
    for name in "abc":
        desk.model.fill(name, desk.time_ns(0))
    assert desk.take(1).kinds["fills"].rows == 4
    for name in "d":
        desk.model.fill(name, desk.time_ns(0))
    assert desk.take(2).kinds["fills"].rows == 1
    assert desk.take(3).kinds["fills"].rows == 0
    assert desk.take(4).kinds["fills"].rows == 0
    assert fills_kept(desk) == Counter(["f1", *"abcd"])


def test_the_first_snapshot_of_all_asks_from_the_start_of_the_trading_day(desk: Desk) -> None:
    desk.model.fills.clear()
    start = desk.time_ns(0) - int(timedelta(hours=16, minutes=58, seconds=30).total_seconds() * 1e9)
    desk.model.fill("yesterday", start - 1)
    desk.model.fill("today", start)
    desk.take(0)
    assert fills_kept(desk) == Counter(["today"])


@pytest.mark.parametrize("slots_later", [120, 2880, 30 * 2880])
def test_the_chain_is_found_however_old_it_is(desk: Desk, slots_later: int) -> None:
    desk.take(0)
    forget_redis(desk.settings)
    desk.model.fill("f2", desk.time_ns(1))
    assert desk.take(slots_later).kinds["fills"].rows == 1
    stored = desk.documents.get("fills", slot_of(slots_later))
    assert stored is not None
    assert stored.document is not None
    assert stored.document.manifest.since_ns == desk.time_ns(-1) - LOOK_BACK_NS
    assert stored.document.manifest.seen == ("f1",)


def test_a_backlog_that_does_not_fit_goes_on_in_the_next_slot(desk: Desk) -> None:
    for number in range(10):
        desk.model.fill(f"g{number}", desk.time_ns(0, number))
    desk.api.faults["fills/page"] = _unavailable
    result = desk.take(1)
    assert result.outcome is SlotOutcome.PARTIAL
    assert result.kinds["fills"].state is KindState.TAKEN
    assert result.reason == "fills: more fills follow in the next slot: 503"
    desk.api.faults.clear()
    assert desk.take(2).whole
    assert fills_kept(desk) == Counter(["f1", *(f"g{number}" for number in range(10))])


def test_more_fills_of_one_time_than_a_page_holds_are_told(desk: Desk) -> None:
    for number in range(FILLS_A_PAGE + 1):
        desk.model.fill(f"g{number}", desk.time_ns(0))
    result = desk.take(1)
    assert result.outcome is SlotOutcome.PARTIAL
    assert result.reason == f"fills: fills may be missing at {desk.time_ns(0)} ns"


def test_a_damaged_document_does_not_break_the_chain(desk: Desk) -> None:
    desk.take(0)
    desk.stores.objects.put(desk.documents.key("fills", slot_of(1)), b"garbage")
    desk.take(1)
    desk.model.fill("f2", desk.time_ns(1))
    result = desk.take(2)
    assert (result.whole, result.kinds["fills"].rows) == (True, 1)
    assert fills_kept(desk) == Counter(["f1", "f2"])
