"""When the state of a remote API and of the slots is alarming."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.monitor.alarms.conditions import Condition, protection_conditions, tt_conditions
from trade_assets.remote.protection.limits import BreakerState, ProtectionState
from trade_assets.settings import load_settings

SETTINGS = load_settings()
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


def conditions(state: ProtectionState, missed: int = 0, **settings: object) -> dict[str, Condition]:
    """By the last part of their names."""
    found = tt_conditions(state, missed, load_settings(**settings))
    return {item.name.rpartition(":")[2]: item for item in found}


def budget(percent: float, **settings: object) -> bool | None:
    used = round(percent * 100)
    state = replace(CALM, budget_used=used, budget_limit=10_000)
    return conditions(state, **settings)["budget"].active


def test_nothing_is_alarming_when_all_is_well() -> None:
    found = tt_conditions(CALM, 0, SETTINGS)
    assert [item.name for item in found] == [
        "tt:ext_prod_sim:breaker",
        "tt:ext_prod_sim:budget",
        "tt:ext_prod_sim:slots",
    ]
    assert [item.active for item in found] == [False, False, False]


def test_any_remote_api_has_its_breaker_and_its_budget() -> None:
    found = protection_conditions(replace(CALM, name="coinbase"), SETTINGS)
    assert [item.name for item in found] == ["coinbase:breaker", "coinbase:budget"]


def test_an_open_breaker_alarms_until_the_probe_has_succeeded() -> None:
    opened = replace(CALM, breaker=BreakerState.OPEN, failures=5, open_seconds_left=42.0)
    probing = replace(opened, breaker=BreakerState.HALF_OPEN, open_seconds_left=0.0)
    found = conditions(opened)["breaker"]
    assert found.active
    assert found.detail == "It failed 5 times in a row, so it is not asked. It is probed in 42 s."
    assert conditions(probing)["breaker"].active
    assert conditions(CALM)["breaker"].active is False


@pytest.mark.parametrize(
    ("percent", "active"),
    [(0, False), (77.99, False), (78, None), (80, None), (80.01, True), (100, True), (101, True)],
)
def test_the_budget_alarms_above_its_limit_and_ends_two_points_below(
    percent: float, active: bool | None
) -> None:
    assert budget(percent) is active


def test_a_spent_budget_alarms_whatever_the_limit() -> None:
    assert budget(100, alarm_budget_percent=100) is True
    assert budget(99.9, alarm_budget_percent=100) is None


@given(st.floats(0.01, 100))
def test_every_budget_alarm_can_begin_and_end(limit: float) -> None:
    assert budget(0, alarm_budget_percent=limit) is False
    assert budget(100, alarm_budget_percent=limit) is True


def test_the_budget_says_how_much_is_used() -> None:
    found = conditions(replace(CALM, budget_used=12_345))["budget"]
    assert found.detail == "12,345 of 15,000 requests of 24 hours are used (82.3%)."


def test_missed_slots_alarm_from_the_configured_number_on() -> None:
    found = [conditions(CALM, missed)["slots"].active for missed in (0, 2, 3, 4)]
    assert found == [False, False, True, True]
    assert conditions(CALM, 2, alarm_missed_slots=2)["slots"].active
    assert conditions(CALM, 7)["slots"].detail == "7 slots in a row were missed."
