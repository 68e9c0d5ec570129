"""What is noted of slots: how one went, for people; up to which document the stores are, for the
next one.

The slot log gets what a slot lacks, the slot board the newest slot, `status:` of each kind's data
set the newest document that Redis has, `written:` the newest one that both stores have.
"""

from datetime import UTC, datetime
from typing import Final

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.logs import get_logger
from trade_assets.tt.formats.slot_times import slot_at
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.formats.snapshot_keys import parse_snapshot_key, snapshot_key
from trade_assets.tt.slots.results import SlotOutcome, SlotResult
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets.tt.tt_stores import TtStores

log = get_logger(__name__)

_STATES: Final = {
    SlotOutcome.PARTIAL: SlotState.PARTIAL,
    SlotOutcome.FAILED: SlotState.FAILED,
    SlotOutcome.MISSED: SlotState.MISSED,
    SlotOutcome.SKIPPED: SlotState.SKIPPED,
}

_ON_BOARD: Final = frozenset({SlotOutcome.WHOLE, SlotOutcome.PARTIAL, SlotOutcome.FAILED})
"""What became of slots that were asked for."""


def note_slot(
    stores: TtStores, result: SlotResult, run_id: str, away: frozenset[str] = frozenset()
) -> None:
    """Write down how a slot went. A store that is away costs the note in it, and no error.

    Args:
        away: stores that are known to be away: nothing is waited for again.
    """
    try:
        if "DynamoDB" not in away:
            _log_slot(stores, result, run_id)
    except (StoreUnavailableError, StoreRejectedError) as error:
        log.error("slot not noted", slot=result.slot.isoformat(), error=str(error))
    try:
        if "Redis" not in away and result.outcome in _ON_BOARD:
            stores.slot_board.write_taken(_summary(result, run_id))
    except (StoreUnavailableError, StoreRejectedError) as error:
        log.error("slot not on the board", slot=result.slot.isoformat(), error=str(error))


def written_until(stores: TtStores, snapshot: Snapshot) -> str:
    """Key of the newest document that both stores have, with all before it but what a slot has left
    to a rerun (and said so); "" if nobody knows.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    shown = stores.latest.status(snapshot).get("last_file", "")
    return stores.written_marks.read(snapshot, shown)


def note_written(stores: TtStores, snapshot: Snapshot, key: str) -> None:
    """Note that both stores have a document and all before it, unless a newer one is noted.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    settings = stores.settings
    latest = snapshot.latest_time(datetime.now(UTC), settings.arrival.ahead_seconds)
    latest_key = snapshot_key(settings.tt.environment.value, snapshot.kind, slot_at(latest))
    stores.written_marks.advance(snapshot, key, latest_key)


def note_shown(stores: TtStores, snapshot: Snapshot, key: str) -> None:
    """Note that Redis has a document, unless a newer one is noted.

    The event time of the status is the slot.

    Raises:
        StoreUnavailableError: Redis cannot be reached.
    """
    slot, now = parse_snapshot_key(key).slot, datetime.now(UTC)
    lag = max((now - slot).total_seconds(), 0.0)
    stores.latest.write_status(snapshot, key, slot, now, lag, repair=True)


def _log_slot(stores: TtStores, result: SlotResult, run_id: str) -> None:
    state = _STATES.get(result.outcome)
    if state is None:
        stores.slot_log.withdraw(result.slot)
        return
    kinds = {kind: item.shown for kind, item in result.kinds.items() if item.reason}
    note = SlotNote(result.slot, result.slot, state, result.reason, kinds, run_id)
    stores.slot_log.note(note)


def _summary(result: SlotResult, run_id: str) -> SlotSummary:
    return SlotSummary(
        slot=result.slot,
        whole=result.whole,
        seconds=result.seconds,
        offset_seconds=result.offset_seconds,
        reason=result.reason,
        kinds={kind: item.shown for kind, item in result.kinds.items()},
        run_id=run_id,
        kept=any(item.stored for item in result.kinds.values()),
    )
