"""How the TT snapshots look in the status: slots, kinds, protection, alarms.

Facts: `tt.snapshot_status`. Tables and lines that all sections share: `tables`.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trade_assets.cli.shown_values import (
    age_text,
    both_zones,
    central_text,
    counted,
    seconds_since,
)
from trade_assets.cli.tables import (
    FRESHNESS_STYLES,
    UNKNOWN,
    line,
    status_table,
)
from trade_assets.monitor.alarms.state_store import OpenEpisode
from trade_assets.remote.protection.limits import BreakerState, ProtectionState
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_counts import SlotCounts
from trade_assets.tt.slots.slot_log import SlotNote
from trade_assets.tt.snapshot_status import KindStatus, TtInRedis, TtLog, TtStatus

NOTES_SHOWN: Final = 5


def tt_lines(tt: TtStatus) -> Iterator[RenderableType]:
    """The TT section of the status."""
    found = tt.in_redis
    if found is not None:
        yield _kinds(found.kinds)
        yield Text()
    yield line("TT", _head(tt))
    if found is not None and found.board is not None and not found.board.whole:
        yield line("", _not_whole(found.board))
    yield line("slots", UNKNOWN if tt.log is None else _counts(tt.log.counts))
    if tt.log is not None and tt.log.notes:
        yield _notes(tt.log)
    yield from _protection(found)
    yield from _alarms(found, tt.time)


def _head(tt: TtStatus) -> str:
    parts = [tt.environment]
    if not tt.enabled:
        parts.append("snapshots are switched off")
    elif tt.closed_reason is not None:
        parts.append(f"no slot is due ({tt.closed_reason})")
    if tt.in_redis is None:
        return ", ".join([*parts, UNKNOWN])
    return ", ".join([*parts, *_newest(tt, tt.in_redis)])


def _newest(tt: TtStatus, found: TtInRedis) -> Iterator[str]:
    board = found.board
    if board is None:
        yield "no slot was ever taken"
        return
    if board.last_whole is None:
        yield "no slot was ever whole"
    else:
        age = age_text(tt.whole_age_seconds)
        yield f"newest whole slot {both_zones(board.last_whole)}, {age} ago"
    yield f"{found.missed_in_a_row} missed in a row"
    if board.offset_seconds is not None:
        yield f"last snapshot took {board.seconds:.2f} s, asked {board.offset_seconds:.2f} s late"


def _not_whole(board: SlotSummary) -> str:
    kinds = "; ".join(f"{kind} {state}" for kind, state in board.kinds.items())
    slot = central_text(board.slot, with_date=False)
    return f"slot {slot} US Central is not whole: {board.reason or kinds}"


def _counts(counts: SlotCounts) -> str:
    words = (
        f"{number:,} {name}"
        for name, number in (
            ("missed", counts.missed),
            ("skipped", counts.skipped),
            ("failed", counts.failed),
            ("partial", counts.partial),
        )
        if number
    )
    return f"last hour: {', '.join(words) or 'none missed or partial'}"


def _notes(log: TtLog) -> Table:
    table = status_table("slot, US Central", "became", "why")
    for note in log.notes[: -NOTES_SHOWN - 1 : -1]:
        table.add_row(Text(_stretch(note)), Text(note.state), Text(_why(note)))
    return table


def _stretch(note: SlotNote) -> str:
    first, last = (central_text(slot, with_date=False) for slot in (note.first, note.last))
    return first if note.first == note.last else f"{first} to {last}"


def _why(note: SlotNote) -> str:
    kinds = [f"{kind}: {reason}" for kind, reason in note.kinds.items()]
    return note.reason or "; ".join(kinds)


def _kinds(kinds: Sequence[KindStatus]) -> Table:
    table = status_table("snapshot", "state", "age", "keys", "slot")
    for column in table.columns[2:4]:
        column.justify = "right"
    for kind in kinds:
        table.add_row(
            Text(kind.dataset),
            Text(kind.freshness, style=FRESHNESS_STYLES[kind.freshness]),
            Text(age_text(kind.age_seconds)),
            Text("" if kind.record_keys is None else f"{kind.record_keys:,}"),
            Text("" if kind.last_slot is None else both_zones(kind.last_slot)),
        )
    return table


def _protection(found: TtInRedis | None) -> Iterator[Text]:
    if found is None:
        yield line("protection", UNKNOWN)
        return
    state = found.protection
    most = f"at most {state.per_second} a second"
    yield line("protection", f"breaker {_breaker(state)}, {_budget(state)}, {most}")
    counters = ", ".join(f"{number:,} {name}" for name, number in state.counters.items())
    yield line("", f"today (UTC): {counters}")


def _budget(state: ProtectionState) -> str:
    if state.budget_percent is None:
        return "no budget a day"
    used = f"{state.budget_used:,} of {state.budget_limit:,} requests of 24 hours used"
    return f"{used} ({state.budget_percent:.1f}%)"


def _breaker(state: ProtectionState) -> str:
    if state.breaker is BreakerState.OPEN:
        failures = counted(state.failures, "failure")
        return f"open after {failures}, probed in {age_text(state.open_seconds_left)}"
    text = str(state.breaker)
    if state.paused_seconds > 0:
        text += f", TT asked for a pause of {age_text(state.paused_seconds)} more"
    return text


def _alarms(found: TtInRedis | None, now: datetime) -> Iterator[RenderableType]:
    if found is None:
        yield line("alarms", UNKNOWN)
        return
    if not found.alarms:
        yield line("alarms", "none")
        return
    yield line("alarms", f"{len(found.alarms):,} on")
    yield _alarm_table(found.alarms, now)


def _alarm_table(alarms: Sequence[OpenEpisode], now: datetime) -> Table:
    table = status_table("alarm", "for", "what")
    for alarm in alarms:
        age = age_text(seconds_since(alarm.began_at, now))
        table.add_row(Text(alarm.name), Text(age), Text(f"{alarm.title}. {alarm.detail}"))
    return table
