"""Conditions: what is alarming about the state of a remote API and of the slots. Pure.

Names are `<api>:breaker`, `<api>:budget` and `<api>:slots`, the API's as its limits have it
(`tt:ext_prod_sim`).
"""

from dataclasses import dataclass
from typing import Final

from trade_assets.remote.protection.limits import BreakerState, ProtectionState
from trade_assets.settings import Settings

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


def tt_conditions(
    protection: ProtectionState, missed_in_a_row: int, settings: Settings
) -> list[Condition]:
    """All conditions of the TT snapshots. `missed_in_a_row`: slots missed up to now."""
    return [
        *protection_conditions(protection, settings),
        _slots(protection.name, missed_in_a_row, settings),
    ]


def protection_conditions(protection: ProtectionState, settings: Settings) -> list[Condition]:
    """The conditions of any remote API behind the protection layer."""
    return [_breaker(protection), _budget(protection, settings)]


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


def _budget(state: ProtectionState, settings: Settings) -> Condition:
    limit = settings.alarms.budget_percent
    # A limit so low that nothing is left below it would never end.
    ends_below = max(limit - BUDGET_HYSTERESIS_POINTS, limit / 2)
    active: bool | None = None
    if state.budget_percent > limit or state.budget_used >= state.budget_limit:
        active = True
    elif state.budget_percent < ends_below:
        active = False
    return Condition(
        f"{state.name}:budget",
        f"{state.name}: more than {limit:g}% of the day's requests are used",
        active,
        f"{state.budget_used:,} of {state.budget_limit:,} requests of 24 hours are used "
        f"({state.budget_percent:.1f}%).",
    )


def _slots(name: str, missed_in_a_row: int, settings: Settings) -> Condition:
    limit = settings.alarms.missed_slots
    missed = f"{missed_in_a_row} slots in a row were missed."
    return Condition(
        f"{name}:slots",
        f"{name}: {limit} or more snapshot slots in a row were missed",
        missed_in_a_row >= limit,
        missed if missed_in_a_row else "Slots are taken again.",
    )
