"""Chores of the slot sensor: what they come to, and that none holds up a tick."""

import threading

import pytest

from trade_assets.capture.slot_cursor import SlotCursor
from trade_assets.defs.snapshots.chores import Chores, Effect, Tick
from trade_assets.errors import StoreUnavailableError
from trade_assets_tests.support.waiting import eventually

LONG = 20.0


@pytest.fixture
def tick() -> Tick:
    return Tick(SlotCursor(), {})


def saying(text: str) -> Effect:
    """An effect that can be seen."""
    return lambda tick: tick.problems.append(text)


def fail(error: Exception) -> Effect:
    raise error


def test_effects_of_all_chores_are_applied(tick: Tick) -> None:
    Chores().run(tick, {"one": lambda: saying("1"), "two": lambda: saying("2")}, LONG)
    assert tick.problems == ["1", "2"]


def test_a_chore_that_fails_says_so_and_spoils_no_other(tick: Tick) -> None:
    chores = {
        "store": lambda: fail(StoreUnavailableError("Redis is away")),
        "defect": lambda: fail(KeyError("a value that nobody knows")),
        "fine": lambda: saying("done"),
    }
    Chores().run(tick, chores, LONG)
    assert tick.problems == ["store: Redis is away", "defect: failed (KeyError)", "done"]


def test_a_chore_that_hangs_is_left_alone_and_not_begun_twice(tick: Tick) -> None:
    release, begun = threading.Event(), []

    def hang() -> Effect:
        begun.append(1)
        release.wait(LONG)
        return saying("at last")

    chores = Chores()
    for _ in range(3):
        chores.run(tick, {"slow": hang, "fine": lambda: saying("done")}, 0.02)
    assert tick.problems.count("slow: still under way") == 3
    assert len(begun) == 1
    release.set()
    eventually(
        lambda: "at last" in tick.problems or chores.run(tick, {"slow": hang}, 0.1),
        what="it is done",
    )
