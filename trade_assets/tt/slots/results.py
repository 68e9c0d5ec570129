"""How a slot went, kind by kind and as a whole, and figures of the hours of a rerun."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from trade_assets.datasets.keys import RAW
from trade_assets.ingest.figures import FileFigures
from trade_assets.remote.protection.limits import ProtectionState
from trade_assets.tt.formats.snapshot import Snapshot

MISSING_LISTED: Final = 20
"""Most slots without a document that figures name."""


class KindState(StrEnum):
    """What became of one kind of a slot."""

    TAKEN = "taken"  # asked for and kept
    KEPT = "kept"  # an earlier run of the slot has it: it was not asked for again
    MISSED = "missed"  # not asked for: it was too late, or somebody else's turn
    FAILED = "failed"  # asked for in vain


class SlotOutcome(StrEnum):
    """What became of a slot as a whole."""

    WHOLE = "whole"  # every kind is in the bucket and in both stores
    PARTIAL = "partial"  # a kind is not in the bucket, or not in a store yet
    FAILED = "failed"  # asked for, and no kind is in the bucket
    MISSED = "missed"  # too late to ask, and no kind is in the bucket
    SKIPPED = "skipped"  # left out: another run is taking a snapshot, or a newer one is there
    CLOSED = "closed"  # no slot is due: the market is closed, or maintenance
    REFUSED = "refused"  # not a slot, or one of the future: nothing was done


@dataclass(frozen=True, slots=True)
class KindResult:
    """One kind of a slot.

    Attributes:
        kind: its name, e.g. `orders`.
        state: whether its raw document is in the bucket, and why.
        reason: why it is not, or not in both stores; empty if all is well.
        key: of the raw document; empty where there is none.
        size: bytes of the raw document, compressed.
        written: both stores have it.
        rows: records of the document.
        rejected: rows of it that are no records.
        changed: of the records, those that are new or differ from the slot before.
        gone: records of the slot before that are in this one no more (replaced sets only).
        puts: items put into the history.
        caught_up: documents of earlier slots that were written too, since no store had them.
        notes: what the manifest says, e.g. of an instrument that could not be fetched.
    """

    kind: str
    state: KindState
    reason: str = ""
    key: str = ""
    size: int = 0
    written: bool = False
    rows: int = 0
    rejected: int = 0
    changed: int = 0
    gone: int = 0
    puts: int = 0
    caught_up: int = 0
    notes: tuple[str, ...] = ()

    @property
    def stored(self) -> bool:
        """Whether its raw document is in the bucket."""
        return self.state in (KindState.TAKEN, KindState.KEPT)

    @property
    def shown(self) -> str:
        """Its state in a few words, for people and for the slot board."""
        return f"{self.state.value}: {self.reason}" if self.reason else self.state.value


@dataclass(frozen=True, slots=True)
class SlotResult:
    """How a slot went.

    Attributes:
        slot: which one (UTC).
        outcome: in one word.
        reason: why it is not whole; empty if it is.
        kinds: every kind, by name; empty where nothing was tried.
        seconds: from the first look to the last write.
        offset_seconds: from the slot to the first call of the API; None where nothing was asked.
        calls: what the calls came to (`remote.protection`'s `CallTally`), by name.
        protection: state of the protection layer afterwards, by name; empty if it is not known.
    """

    slot: datetime
    outcome: SlotOutcome
    reason: str = ""
    kinds: Mapping[str, KindResult] = field(default_factory=dict)
    seconds: float = 0.0
    offset_seconds: float | None = None
    calls: Mapping[str, float] = field(default_factory=dict)
    protection: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether every kind is in the bucket and in both stores."""
        return self.outcome is SlotOutcome.WHOLE


@dataclass
class SnapshotFigures(FileFigures):
    """Figures of one kind and one or more hours of slots; the files are its raw documents.

    Attributes:
        slots_due: slots of the hours that were due by now (market hours, maintenance).
        missing: those of them that have no document.
    """

    NOUN: ClassVar[str] = "snapshots"

    dataset: Snapshot
    slots_due: int = 0
    missing: list[datetime] = field(default_factory=list)

    def described(self, layer: str) -> dict[str, Any]:
        """As `FileFigures.described`."""
        described = super().described(layer)
        described |= {"slots_due": self.slots_due, "slots_missing": len(self.missing)}
        if layer == RAW:
            missing = self.missing[:MISSING_LISTED]
            described["missing"] = [f"{slot:%Y-%m-%dT%H:%M:%SZ}" for slot in missing]
        return described


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
    """How it stands with the API, for metadata; without a budget where it has none."""
    figures = {
        "breaker": state.breaker.value,
        "failures": state.failures,
        "open_seconds_left": state.open_seconds_left,
        "budget_used": state.budget_used,
        "budget_limit": state.budget_limit,
        "budget_percent": state.budget_percent,
    }
    return {name: figure for name, figure in figures.items() if figure is not None}
