"""The shared loop of CPU times: what it calls, with what, and what it counts."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from benchmarks.scale import QUICK
from benchmarks.timing import Way, cpu_rounds, cpu_seconds, how_timed


class Clock:
    """CPU time that passes only when somebody works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "process_time", lambda: self.now)

    def work(self, seconds: float) -> None:
        """Spend some."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock in place of the process's."""
    return Clock(monkeypatch)


def test_the_mean_of_the_calls_counts_and_making_their_input_does_not(clock: Clock) -> None:
    def inputs() -> Iterator[float]:
        for number in count():
            clock.work(1000.0)
            yield (1.0, 3.0)[number % 2]

    assert cpu_seconds(Way(clock.work, inputs()), seconds=8.0) == 2.0


def test_a_call_that_costs_nothing_measurable_is_made_once(clock: Clock) -> None:
    calls: list[int] = []
    assert cpu_seconds(Way.of(calls.append, 7), seconds=0.0) == 0.0
    assert calls == [7]


def test_the_ways_take_turns_after_a_first_call_that_does_not_count(clock: Clock) -> None:
    called: list[str] = []

    def way(name: str, first: float, later: float) -> Way[float]:
        def call(seconds: float) -> None:
            called.append(name)
            clock.work(seconds)

        return Way(call, iter([first, later, later]))

    scale = replace(QUICK, rounds=2, round_seconds=1.0)
    rounds = cpu_rounds({"a": way("a", 50.0, 1.0), "b": way("b", 70.0, 2.0)}, scale)
    assert rounds == {"a": [1.0, 1.0], "b": [2.0, 2.0]}
    assert called == ["a", "b"] * 3


def test_notes_tell_rounds_and_their_length() -> None:
    assert "7 rounds of 0.25 s" in how_timed(replace(QUICK, rounds=7, round_seconds=0.25))
