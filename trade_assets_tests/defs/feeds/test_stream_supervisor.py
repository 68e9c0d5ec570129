"""Who decides that a stream run is alive, and when another one is requested."""

import pytest

from trade_assets.defs.feeds.stream_supervisor import START_GRACE_SECONDS, StreamRun, decide
from trade_assets.feeds.stream.heartbeats import StreamBeat
from trade_assets.settings import Settings, load_settings

NOW = 1_000_000.0


@pytest.fixture
def limits() -> Settings:
    return load_settings(rollover_lead_seconds=25)


def beat(run_id: str, left: float, consuming: bool = True) -> StreamBeat:
    return StreamBeat(run_id, NOW + left, 0, consuming)


def run(run_id: str, age: float, canceling: bool = False) -> StreamRun:
    return StreamRun(run_id, NOW - age, canceling)


def test_a_run_is_requested_where_none_is_alive(limits: Settings) -> None:
    assert decide(limits, [], [], NOW).request


def test_a_live_run_with_time_left_is_enough(limits: Settings) -> None:
    decision = decide(limits, [beat("a", 100)], [run("a", 500)], NOW)
    assert not decision.request
    assert not decision.dead


def test_the_successor_is_requested_before_the_window_ends(limits: Settings) -> None:
    assert decide(limits, [beat("a", 24)], [run("a", 500)], NOW).request


def test_one_successor_is_enough_while_it_starts(limits: Settings) -> None:
    runs = [run("a", 500), run("b", 3)]
    assert not decide(limits, [beat("a", 10)], runs, NOW).request


def test_one_successor_is_enough_when_it_is_alive(limits: Settings) -> None:
    beats = [beat("a", 10), beat("b", 3600)]
    assert not decide(limits, beats, [run("a", 500), run("b", 9)], NOW).request


def test_a_silent_run_is_dead_and_replaced_at_once(limits: Settings) -> None:
    decision = decide(limits, [], [run("a", 500)], NOW)
    assert decision.dead == ["a"]
    assert decision.request


def test_a_run_that_never_came_up_is_replaced_after_its_grace(limits: Settings) -> None:
    young = decide(limits, [], [run("a", START_GRACE_SECONDS - 1)], NOW)
    assert not young.request
    assert not young.dead
    old = decide(limits, [], [run("a", START_GRACE_SECONDS + 1)], NOW)
    assert old.request
    assert old.dead == ["a"]


def test_a_run_that_finishes_is_neither_dead_nor_enough(limits: Settings) -> None:
    decision = decide(limits, [beat("a", 100, consuming=False)], [run("a", 500)], NOW)
    assert decision.request
    assert not decision.dead


def test_a_terminated_run_is_replaced_while_it_still_ends(limits: Settings) -> None:
    decision = decide(limits, [], [run("a", 5, canceling=True)], NOW)
    assert decision.request


def test_a_run_of_another_instance_counts(limits: Settings) -> None:
    assert not decide(limits, [beat("elsewhere", 100)], [], NOW).request
