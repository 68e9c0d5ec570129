"""Taking the snapshot of one slot: ask the API once, keep the answers, write them to both stores.

The order of things is what makes a slot safe to try again: raw documents first, each put once; then
the stores, which can be rebuilt from them; the notes for people last.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from trade_assets.errors import TradeAssetsError, UnparsableFileError
from trade_assets.ingest.writing import HistoryWriter, SetWriter
from trade_assets.logs import get_logger
from trade_assets.settings import Settings
from trade_assets.tt.datasets import INSTRUMENTS, NAMING_KINDS, SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.slot_times import SLOT, slot_at, slot_text
from trade_assets.tt.formats.snapshot import SnapshotDocument
from trade_assets.tt.slots.fetch import (
    Asked,
    Asker,
    Question,
    SnapshotApi,
    named_instruments,
)
from trade_assets.tt.slots.fills_question import fills_question
from trade_assets.tt.slots.open_hours import open_hours
from trade_assets.tt.slots.raw_documents import SnapshotDocuments, StoredDocument
from trade_assets.tt.slots.results import (
    KindResult,
    KindState,
    SlotOutcome,
    SlotResult,
    outcome_of,
    reason_in_all,
    shown_protection,
    unwritten,
)
from trade_assets.tt.slots.slot_lease import HeldLease
from trade_assets.tt.slots.slot_notes import note_slot
from trade_assets.tt.slots.slot_records import STORE_ERRORS, SlotWriter
from trade_assets.tt.tt_stores import TtStores

log = get_logger(__name__)

AHEAD: Final = timedelta(seconds=1)
"""A slot may be so much in the future: clocks of two machines differ."""

PUT_SECONDS: Final = 10.0
"""How long a lease outlasts the deadline of the calls: the raw documents are put meanwhile."""


@dataclass
class _Kinds:
    """The kinds of a slot while it is taken.

    Attributes:
        stored: raw documents by kind.
        results: what became of every kind so far, by kind.
        held_by: who takes a snapshot meanwhile, so that this slot is left out.
        asked_at: when the first call was made (UTC).
    """

    stored: dict[str, StoredDocument] = field(default_factory=dict)
    results: dict[str, KindResult] = field(default_factory=dict)
    held_by: str | None = None
    asked_at: datetime | None = None

    @property
    def missing(self) -> list[str]:
        """Kinds without a raw document."""
        return [kind for kind in SNAPSHOTS_BY_KIND if kind not in self.stored]

    def give_up(self, state: KindState, reason: str) -> None:
        """The kinds that are missing stay so, for one reason; who has one of his own keeps it."""
        for kind in self.missing:
            self.results.setdefault(kind, KindResult(kind, state, reason))


class SnapshotTaker:
    """Takes the snapshots of an environment, a slot at a time.

    Args:
        settings: the environment, its open hours, and how long things may take.
        stores: the bucket, and everything but the writing of records.
        api: is asked; `tt.client.tt_client.TtClient`.
        latest: the typed `write` and `replace` of the IO manager of `latest`.
        history: the typed `write` of the IO manager of `history`.
        clock: the time, aware.
    """

    def __init__(
        self,
        settings: Settings,
        stores: TtStores,
        api: SnapshotApi,
        latest: SetWriter,
        history: HistoryWriter,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._stores = stores
        self._api = api
        self._latest = latest
        self._history = history
        self._clock = clock
        self._environment = settings.tt.environment.value
        self._documents = SnapshotDocuments(stores.objects, self._environment)

    def take(self, slot: datetime, run_id: str = "") -> SlotResult:
        """Take the snapshot of a slot, as far as it is not there yet.

        What is in the bucket is never asked for again: taking a slot again writes what is there to
        the stores. Later than 30 s after the slot nothing is asked. Errors of the API and of the
        stores are in the result, kind by kind, and never raised; what a store did not get is
        written with the next slot.
        """
        started = time.monotonic()
        slot = slot.astimezone(UTC)
        refusal = self._refusal(slot)
        if refusal is not None:
            return refusal
        before = asdict(self._api.protection.tally)
        kinds = _Kinds()
        away = self._take(slot, run_id, kinds)
        result = self._result(slot, kinds, time.monotonic() - started, before)
        self._count(result, away)
        held_by_itself = (kinds.held_by or "").startswith(slot_text(slot))
        if not held_by_itself:
            note_slot(self._stores, result, run_id, away)
        return result

    def _refusal(self, slot: datetime) -> SlotResult | None:
        """Why nothing is done for a slot."""
        if slot_at(slot) != slot:
            return SlotResult(slot, SlotOutcome.REFUSED, f"{slot.isoformat()} is no slot")
        if slot > self._clock() + AHEAD:
            return SlotResult(slot, SlotOutcome.REFUSED, "the slot is in the future")
        closed = open_hours(self._settings).closed_reason(slot)
        return SlotResult(slot, SlotOutcome.CLOSED, closed) if closed else None

    def _take(self, slot: datetime, run_id: str, kinds: _Kinds) -> frozenset[str]:
        """All of it; returns the names of the stores of records that are away."""
        try:
            self._find(slot, kinds)
            if kinds.missing:
                self._fetch(slot, run_id, kinds)
        except STORE_ERRORS as error:
            kinds.give_up(KindState.FAILED, str(error))
        if not kinds.stored:
            return frozenset()
        writer = SlotWriter(self._stores, self._documents, self._latest, self._history)
        pairs = [(SNAPSHOTS_BY_KIND[kind], stored) for kind, stored in kinds.stored.items()]
        try:
            for written in writer.write(pairs):
                kind = written.snapshot.kind
                kinds.results[kind] = written.added_to(kinds.results[kind])
        except STORE_ERRORS as error:
            for kind in kinds.stored:
                kinds.results[kind] = unwritten(kinds.results[kind], str(error))
        return writer.away

    def _find(self, slot: datetime, kinds: _Kinds) -> None:
        """What an earlier run of the slot has put."""
        keys = {self._documents.key(kind, slot): kind for kind in SNAPSHOTS_BY_KIND}
        for stored in self._documents.load(list(keys)):
            _keep(kinds, keys[stored.key], stored, KindState.KEPT, "")

    def _fetch(self, slot: datetime, run_id: str, kinds: _Kinds) -> None:
        late = (self._clock() - slot).total_seconds()
        left = SLOT.total_seconds() - late
        if left < 0:
            kinds.give_up(KindState.MISSED, f"too late: {late:.0f} s after the slot")
            return
        seconds = min(self._settings.tt.deadline_seconds, left)
        # An emptied Redis has forgotten what is left of the day; this raises if nobody knows.
        self._stores.spent_requests.put_back(self._clock())
        lease = self._stores.slot_lease.acquire(
            seconds + PUT_SECONDS, f"{slot_text(slot)} {run_id}".strip()
        )
        if lease is None:
            kinds.held_by = self._stores.slot_lease.holder() or "another run"
            kinds.give_up(KindState.MISSED, f"a snapshot is being taken: {kinds.held_by}")
            return
        try:
            self._ask_and_put(slot, seconds, lease, kinds)
        finally:
            self._release(lease)

    def _ask_and_put(self, slot: datetime, seconds: float, lease: HeldLease, kinds: _Kinds) -> None:
        deadline = time.monotonic() + seconds
        since_ns, seen = fills_question(self._documents, slot)
        question = Question(self._environment, slot, since_ns, seen, deadline)
        kinds.asked_at = self._clock()
        asked = self._ask(question, kinds)
        if not lease.still_held():
            kinds.give_up(KindState.FAILED, "it took so long that another run may have taken over")
            return
        # The instruments first: the names of the others' rows come from them.
        for kind in (INSTRUMENTS, *NAMING_KINDS):
            if kind in asked:
                self._put(slot, kind, asked[kind], kinds)

    def _ask(self, question: Question, kinds: _Kinds) -> Mapping[str, Asked]:
        asker = Asker(self._api, self._stores.instrument_cache, question)
        missing = kinds.missing
        asked = asker.naming_kinds(missing)
        if INSTRUMENTS not in missing:
            return asked
        documents = [item.document for item in asked.values() if item.document is not None]
        documents += [item.document for item in kinds.stored.values() if item.document is not None]
        if documents:
            ids = named_instruments(documents)
            asked[INSTRUMENTS] = asker.instruments(ids, self._clock())
        else:
            asked[INSTRUMENTS] = Asked(None, "nothing is there to say which")
        return asked

    def _put(self, slot: datetime, kind: str, asked: Asked, kinds: _Kinds) -> None:
        self._set_aside(slot, kind, asked)
        reason = asked.reason
        if asked.document is not None:
            try:
                stored = self._documents.put(asked.document)
            except UnparsableFileError as error:
                reason = str(error)
                self._quarantine(slot, kind, "", b"\n".join(asked.document.bodies), reason)
            except STORE_ERRORS as error:
                reason = str(error)
            else:
                _keep(kinds, kind, stored, KindState.TAKEN, reason)
                return
        kinds.results[kind] = KindResult(kind, KindState.FAILED, reason)

    def _set_aside(self, slot: datetime, kind: str, asked: Asked) -> None:
        """Keep malformed answers for people to look at; they may never come again."""
        notes = asked.document.manifest.notes if asked.document is not None else ()
        reason = asked.reason or "; ".join(notes) or "malformed"
        for name, data in (asked.malformed or {}).items():
            self._quarantine(slot, kind, name, data, reason)

    def _quarantine(self, slot: datetime, kind: str, name: str, data: bytes, reason: str) -> None:
        key = self._documents.key(kind, slot)
        key = f"{key}.{name}" if name else key
        try:
            self._stores.objects.quarantine_bytes(key, data, reason, datetime.now(UTC))
        except TradeAssetsError as error:
            log.error("malformed answer not quarantined", file=key, error=str(error))

    def _count(self, result: SlotResult, away: frozenset[str]) -> None:
        """Keep what was sent; while DynamoDB is away, Redis alone knows."""
        if "DynamoDB" in away:
            return
        try:
            self._stores.spent_requests.add(int(result.calls["attempts"]), self._clock())
        except STORE_ERRORS as error:
            log.warning("requests not kept beside the ledger", error=str(error))

    def _release(self, lease: HeldLease) -> None:
        try:
            lease.release()
        except STORE_ERRORS as error:
            log.warning("lease of snapshots runs out by itself", error=str(error))

    def _result(
        self, slot: datetime, kinds: _Kinds, seconds: float, before: Mapping[str, float]
    ) -> SlotResult:
        results = {kind: kinds.results[kind] for kind in SNAPSHOTS_BY_KIND}
        calls = asdict(self._api.protection.tally)
        asked_at = kinds.asked_at
        return SlotResult(
            slot=slot,
            outcome=outcome_of(results, kinds.held_by),
            reason=reason_in_all(results),
            kinds=results,
            seconds=seconds,
            offset_seconds=None if asked_at is None else (asked_at - slot).total_seconds(),
            calls={name: value - before.get(name, 0) for name, value in calls.items()},
            protection=self._protection(),
        )

    def _protection(self) -> Mapping[str, str | float]:
        try:
            return shown_protection(self._api.protection.state())
        except STORE_ERRORS:
            return {}


def _keep(kinds: _Kinds, kind: str, stored: StoredDocument, state: KindState, reason: str) -> None:
    kinds.stored[kind] = stored
    document: SnapshotDocument | None = stored.document
    kinds.results[kind] = KindResult(
        kind,
        state,
        reason=reason,
        key=stored.key,
        size=stored.info.size,
        notes=document.manifest.notes if document is not None else (),
    )
