"""When the state of a remote API behind its protection is alarming."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.monitor.alarms.conditions import Condition, protection_conditions
from trade_assets.remote.protection.limits import BreakerState, ProtectionState
from trade_assets.settings import load_settings

ALARMS = load_settings().alarms
CALM = ProtectionState(
    name="rates:live",
    breaker=BreakerState.CLOSED,
    failures=0,
    open_seconds_left=0.0,
    budget_used=100,
    budget_limit=15_000,
    per_second=5,
    counters={},
)


def conditions(state: ProtectionState, **settings: object) -> dict[str, Condition]:
    """By the last part of their names."""
    found = protection_conditions(state, load_settings(**settings).alarms)
    return {item.name.rpartition(":")[2]: item for item in found}


def budget(percent: float, **settings: object) -> bool | None:
    used = round(percent * 100)
    state = replace(CALM, budget_used=used, budget_limit=10_000)
    return conditions(state, **settings)["budget"].active


def test_nothing_is_alarming_when_all_is_well() -> None:
    found = protection_conditions(CALM, ALARMS)
    assert [item.name for item in found] == ["rates:live:breaker", "rates:live:budget"]
    assert [item.active for item in found] == [False, False]


def test_an_api_without_a_budget_has_its_breaker_alone() -> None:
    found = protection_conditions(replace(CALM, budget_used=None, budget_limit=None), ALARMS)
    assert [item.name for item in found] == ["rates:live:breaker"]


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
