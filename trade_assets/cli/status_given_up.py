"""How what was given up looks in the status: the queue with its dead letters, the quarantine.

Facts: `monitor.health_section`. Tables and lines that all sections share: `tables`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.text import Text

from trade_assets.cli.shown_values import age_text, counted, seconds_since
from trade_assets.cli.tables import UNKNOWN, line, status_table
from trade_assets.monitor.health_section import GivenUpStatus, QueueStatus
from trade_assets.monitor.quarantine import Quarantine, QuarantinedFile

ROWS_SHOWN: Final = 5


def given_up_lines(given_up: GivenUpStatus, now: datetime) -> Iterator[RenderableType]:
    """The queue and the quarantine."""
    yield from _queue(given_up.queue, now)
    yield from _quarantine(given_up.quarantine, now)


def _queue(queue: QueueStatus | None, now: datetime) -> Iterator[RenderableType]:
    if queue is None:
        yield line("queue", UNKNOWN)
        return
    depth = queue.depth
    counts = (
        f"{depth.waiting:,} waiting, {depth.in_flight:,} in flight, {depth.dead:,} dead letters"
    )
    yield line("queue", counts)
    if queue.dead_letters:
        table = status_table("dead letter", "file")
        for letter in queue.dead_letters:
            age = age_text(seconds_since(letter.sent_at, now))
            about = ", ".join(letter.keys) or f"not understood: {letter.body}"
            table.add_row(Text(f"{age} old"), Text(about))
        yield table


def _quarantine(quarantine: Quarantine | None, now: datetime) -> Iterator[RenderableType]:
    if quarantine is None:
        yield line("quarantine", UNKNOWN)
        return
    count = counted(quarantine.files, "file")
    yield line("quarantine", f"more than {count}; the newest:" if quarantine.more else count)
    if quarantine.newest:
        table = status_table("quarantined", "file", "why")
        for file in quarantine.newest:
            age = age_text(seconds_since(file.quarantined_at, now))
            table.add_row(Text(f"{age} ago"), Text(file.key), Text(_reason(file)))
        yield table


def _reason(file: QuarantinedFile) -> str:
    if file.reason is None:
        return "no report beside it"
    rows = ", ".join(map(str, file.row_numbers[:ROWS_SHOWN]))
    if not rows:
        return file.reason
    return f"{file.reason} (rows {rows}{', …' if len(file.row_numbers) > ROWS_SHOWN else ''})"
