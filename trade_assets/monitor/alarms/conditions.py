"""Conditions: what is alarming about the state of a remote API behind its protection. Pure.

Names are `<api>:breaker` and `<api>:budget`, the API's as its limits have it. What else is alarming
about a concept is in its own folder, as conditions of the same form.
"""

from dataclasses import dataclass
from typing import Final

from trade_assets.remote.protection.limits import BreakerState, ProtectionState
from trade_assets.settings import AlarmSettings

BUDGET_HYSTERESIS_POINTS: Final = 2.0
"""The budget alarm ends this far below its limit: use moves around it all day."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is alarming or not, as seen now.

    `active` None says: neither clearly so nor clearly not, so it stays what it was. `title` says
    what is alarming, also when it is over; `detail` says how it stands now.
    """

    name: str
    title: str
    active: bool | None
    detail: str


def protection_conditions(protection: ProtectionState, alarms: AlarmSettings) -> list[Condition]:
    """The conditions of a remote API: its breaker, and the day's budget if it has one."""
    conditions = [_breaker(protection)]
    used, limit = protection.budget_used, protection.budget_limit
    if used is not None and limit is not None:
        conditions.append(_budget(protection.name, used, limit, alarms.budget_percent))
    return conditions


def _breaker(state: ProtectionState) -> Condition:
    # Half-open is a question put to the API, not yet an answer.
    return Condition(
        f"{state.name}:breaker",
        f"{state.name}: the circuit breaker is open",
        state.breaker is not BreakerState.CLOSED,
        _breaker_detail(state),
    )


def _breaker_detail(state: ProtectionState) -> str:
    if state.breaker is BreakerState.CLOSED:
        return "The API answers again; it is asked as usual."
    failed = f"It failed {state.failures} times in a row, so it is not asked."
    if state.breaker is BreakerState.HALF_OPEN:
        return f"{failed} The next call probes it."
    return f"{failed} It is probed in {state.open_seconds_left:.0f} s."


def _budget(name: str, used: int, most: int, limit_percent: float) -> Condition:
    percent = 100 * used / most
    # A limit so low that nothing is left below it would never end.
    ends_below = max(limit_percent - BUDGET_HYSTERESIS_POINTS, limit_percent / 2)
    active: bool | None = None
    if percent > limit_percent or used >= most:
        active = True
    elif percent < ends_below:
        active = False
    return Condition(
        f"{name}:budget",
        f"{name}: more than {limit_percent:g}% of the day's requests are used",
        active,
        f"{used:,} of {most:,} requests of 24 hours are used ({percent:.1f}%).",
    )
