"""From what became of every kind to what became of the slot. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from trade_assets.remote.protection.limits import ProtectionState
from trade_assets.tt.slots.catch_up import Written
from trade_assets.tt.slots.results import KindResult, KindState, SlotOutcome


def with_written(result: KindResult, written: Written) -> KindResult:
    """A kind whose raw document is there, after writing it to the stores."""
    own = written.own
    reasons = [result.reason, *written.reasons]
    return replace(
        result,
        reason="; ".join(reason for reason in reasons if reason),
        written=written.complete,
        rows=0 if own.records is None else own.records.height,
        rejected=sum(not row.duplicate for row in own.rejected),
        changed=written.changed,
        gone=written.gone,
        puts=written.puts,
        caught_up=len(written.items) - 1,
    )


def unwritten(result: KindResult, reason: str) -> KindResult:
    """A kind whose raw document is there and could not be written."""
    return replace(result, reason=f"{result.reason}; {reason}" if result.reason else reason)


def outcome_of(results: Mapping[str, KindResult], held_by: str | None) -> SlotOutcome:
    """The slot in one word; `held_by` is who takes a snapshot meanwhile, if anybody does."""
    kinds = results.values()
    if all(kind.stored and kind.written and not kind.reason for kind in kinds):
        return SlotOutcome.WHOLE
    if any(kind.stored for kind in kinds):
        return SlotOutcome.PARTIAL
    if any(kind.state is KindState.FAILED for kind in kinds):
        return SlotOutcome.FAILED
    return SlotOutcome.SKIPPED if held_by is not None else SlotOutcome.MISSED


def reason_in_all(results: Mapping[str, KindResult]) -> str:
    """The reasons of the kinds in a sentence; one that several share is said once."""
    kinds: dict[str, list[str]] = {}
    for kind, result in results.items():
        if result.reason:
            kinds.setdefault(result.reason, []).append(kind)
    if len(kinds) == 1 and len(next(iter(kinds.values()))) == len(results):
        return next(iter(kinds))
    return "; ".join(f"{', '.join(names)}: {reason}" for reason, names in kinds.items())


def shown_protection(state: ProtectionState) -> dict[str, str | float]:
    """How it stands with the API, for metadata."""
    return {
        "breaker": state.breaker.value,
        "failures": state.failures,
        "open_seconds_left": state.open_seconds_left,
        "budget_used": state.budget_used,
        "budget_limit": state.budget_limit,
        "budget_percent": state.budget_percent,
    }
