"""Asking the API for the kinds of a slot: answers to documents, and failures kept apart.

Nothing is stored here but the cache of instruments. What an error says is an error's text of ours;
of any other only the type is told, since nobody knows what is in its text.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from trade_assets.errors import (
    CredentialsError,
    MalformedAnswerError,
    RemoteRejectedError,
    TradeAssetsError,
    UnparsableFileError,
)
from trade_assets.logs import get_logger
from trade_assets.remote.protection.limits import CallTally, ProtectionState
from trade_assets.tt.client.answers import Answer, FillAnswers
from trade_assets.tt.datasets import FILLS, INSTRUMENTS, NAMING_KINDS, ORDERS, POSITIONS
from trade_assets.tt.formats.answer_rows import raw_rows
from trade_assets.tt.formats.row_models import Instrument, Order, Position
from trade_assets.tt.formats.snapshot import AnswerInfo, Manifest, SnapshotDocument
from trade_assets.tt.slots.instrument_cache import CachedInstrument, InstrumentCache

log = get_logger(__name__)

ASKERS: Final = 3
"""Calls on the way at a time; how many there may be in a second is the protection's business."""


class Guard(Protocol):
    """What is looked at of the protection layer."""

    @property
    def tally(self) -> CallTally: ...

    def state(self) -> ProtectionState: ...


class SnapshotApi(Protocol):
    """What is asked of the API; `tt.client.tt_client.TtClient` is one."""

    @property
    def protection(self) -> Guard: ...

    def orders(self, *, deadline: float | None = None) -> tuple[Answer[Order], ...]: ...

    def fills(self, since_ns: int, *, deadline: float | None = None) -> FillAnswers: ...

    def positions(self, *, deadline: float | None = None) -> tuple[Answer[Position], ...]: ...

    def instrument(
        self, instrument_id: str, *, deadline: float | None = None
    ) -> Answer[Instrument]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking for a kind came to.

    Attributes:
        document: the answers; None if there are none.
        reason: why there are none, or not all; empty if all is well.
        malformed: bytes of answers that are not what the API promises, by what they were to be: ""
            for all of it, else a part.
    """

    document: SnapshotDocument | None
    reason: str = ""
    malformed: Mapping[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a slot asks for.

    Attributes:
        environment: of the API.
        slot: the slot.
        since_ns: fills from this time on (epoch ns).
        seen: ids of fills that are known.
        deadline: when all answers must be there, in seconds of `time.monotonic()`.
    """

    environment: str
    slot: datetime
    since_ns: int
    seen: tuple[str, ...]
    deadline: float


class Asker:
    """Asks for the kinds of one slot."""

    def __init__(self, api: SnapshotApi, cache: InstrumentCache, question: Question) -> None:
        self._api = api
        self._cache = cache
        self._question = question

    def naming_kinds(self, kinds: Iterable[str]) -> dict[str, Asked]:
        """Ask for these of `NAMING_KINDS`, beside each other; one that fails leaves the others."""
        asks = {ORDERS: self._orders, FILLS: self._fills, POSITIONS: self._positions}
        wanted = [kind for kind in asks if kind in set(kinds)]
        with ThreadPoolExecutor(ASKERS, thread_name_prefix="snapshot") as pool:
            results = pool.map(lambda kind: self._guarded(kind, asks[kind]), wanted)
            return dict(zip(wanted, results, strict=True))

    def instruments(self, ids: Sequence[str], now: datetime) -> Asked:
        """Every one of these instruments that is cached or can be had; what cannot is a note."""
        return self._guarded(INSTRUMENTS, lambda: self._instruments(sorted(set(ids)), now))

    def _orders(self) -> Asked:
        return self._listed(ORDERS, self._api.orders(deadline=self._question.deadline))

    def _positions(self) -> Asked:
        return self._listed(POSITIONS, self._api.positions(deadline=self._question.deadline))

    def _listed(self, kind: str, answers: Sequence[Answer[Any]]) -> Asked:
        infos, bodies = _answered(answers)
        return Asked(SnapshotDocument(self._manifest(kind, infos), bodies))

    def _fills(self) -> Asked:
        question = self._question
        found = self._api.fills(question.since_ns, deadline=question.deadline)
        infos, bodies = _answered(found.answers)
        notes = []
        if found.stopped_by is not None:
            notes.append(f"more fills follow in the next slot: {found.stopped_by}")
        if found.truncated_at:
            notes.append(f"fills may be missing at {', '.join(map(str, found.truncated_at))} ns")
        manifest = Manifest(
            question.environment,
            FILLS,
            question.slot,
            infos,
            since_ns=question.since_ns,
            seen=question.seen,
            truncated_at=found.truncated_at,
            notes=tuple(notes),
        )
        malformed = None
        if isinstance(found.stopped_by, MalformedAnswerError):
            # The document has its own place in quarantine, which a rerun clears.
            malformed = {"rest": found.stopped_by.data}
        return Asked(SnapshotDocument(manifest, bodies), "; ".join(notes), malformed)

    def _instruments(self, ids: Sequence[str], now: datetime) -> Asked:
        cached = self._cache.get(ids)
        stale = [id_ for id_ in ids if id_ not in cached or not cached[id_].is_fresh(now)]
        refused = self._cache.refused(stale)
        found = _Found(dict(cached), dict(refused))
        with ThreadPoolExecutor(ASKERS, thread_name_prefix="snapshot") as pool:
            asked = [id_ for id_ in stale if id_ not in refused]
            for id_, outcome in zip(asked, pool.map(self._instrument, asked), strict=True):
                found.add(id_, outcome)
        self._cache.put(found.new)
        self._cache.put_refused(found.refused)
        if ids and not found.items:
            return Asked(None, next(iter(found.notes.values())), found.malformed)
        known = [id_ for id_ in ids if id_ in found.items]
        infos = tuple(_cached_info(found.items[id_]) for id_ in known)
        bodies = tuple(found.items[id_].data for id_ in known)
        notes = tuple(f"instrument {id_}: {note}" for id_, note in sorted(found.notes.items()))
        manifest = self._manifest(INSTRUMENTS, infos, notes)
        return Asked(SnapshotDocument(manifest, bodies), malformed=found.malformed)

    def _instrument(self, id_: str) -> "CachedInstrument | Exception":
        try:
            answer = self._api.instrument(id_, deadline=self._question.deadline)
        except Exception as error:
            return error
        return CachedInstrument(answer.path, answer.received_at, answer.data)

    def _manifest(
        self, kind: str, infos: tuple[AnswerInfo, ...], notes: tuple[str, ...] = ()
    ) -> Manifest:
        question = self._question
        return Manifest(question.environment, kind, question.slot, infos, notes=notes)

    def _guarded(self, kind: str, ask: Callable[[], Asked]) -> Asked:
        """Whatever goes wrong with a kind costs that kind only."""
        try:
            return ask()
        except Exception as error:
            malformed = {"": error.data} if isinstance(error, MalformedAnswerError) else None
            return Asked(None, reason_of(error, kind), malformed)


class _Found:
    """Instruments as they are found: cached ones first, then what the API says."""

    def __init__(self, cached: dict[str, CachedInstrument], refused: Mapping[str, str]) -> None:
        self.items = cached
        self.new: dict[str, CachedInstrument] = {}
        self.refused: dict[str, str] = {}
        self.malformed: dict[str, bytes] = {}
        self.notes: dict[str, str] = dict(refused)

    def add(self, id_: str, outcome: CachedInstrument | Exception) -> None:
        """Take in what asking for one came to."""
        if isinstance(outcome, CachedInstrument):
            self.items[id_] = self.new[id_] = outcome
            return
        reason = reason_of(outcome, INSTRUMENTS)
        self.notes[id_] = f"{reason}; the one of yesterday stays" if id_ in self.items else reason
        if isinstance(outcome, MalformedAnswerError):
            self.malformed[id_] = outcome.data
        refused = isinstance(outcome, RemoteRejectedError)
        # No credential says nothing of the instrument.
        if refused and not isinstance(outcome, CredentialsError):
            self.refused[id_] = reason


def named_instruments(documents: Iterable[SnapshotDocument]) -> list[str]:
    """TT's ids of all instruments that rows of documents name, sorted."""
    ids: set[str] = set()
    for document in documents:
        try:
            rows = [raw.value for raw in raw_rows(document, NAMING_KINDS)]
        except UnparsableFileError:
            continue
        found = (row.get("instrumentId") for row in rows if isinstance(row, dict))
        ids.update(str(value) for value in found if type(value) in (str, int) and value != "")
    return sorted(ids)


def reason_of(error: BaseException, what: str) -> str:
    """An error in words that may be shown to anybody."""
    if isinstance(error, TradeAssetsError):
        return str(error)
    log.error("asking failed for a reason of our own", what=what, error=type(error).__name__)
    return f"{type(error).__name__} in our own code"


def _answered(
    answers: Sequence[Answer[Any]],
) -> tuple[tuple[AnswerInfo, ...], tuple[bytes, ...]]:
    infos = tuple(
        AnswerInfo(answer.path, dict(answer.query), answer.received_at, len(answer.data))
        for answer in answers
    )
    return infos, tuple(answer.data for answer in answers)


def _cached_info(item: CachedInstrument) -> AnswerInfo:
    return AnswerInfo(item.path, {}, item.received_at, len(item.data))
