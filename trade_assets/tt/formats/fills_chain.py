"""The chain of fills: what a snapshot asks for follows from the document of the one before.

Fills are asked for from a time on, inclusive, since two can share a nanosecond; those from then on
which are known already are in the manifest, and the reader leaves them out. So each fill is in
exactly one document's frame, whatever the pages and restarts.
"""

from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
from pydantic_core import PydanticCustomError

from trade_assets.market.trading_days import CENTRAL, trading_date, trading_day_starts
from trade_assets.tt.formats.answer_rows import RawRow, micros_of, raw_rows
from trade_assets.tt.formats.json_values import as_text, as_time_ns
from trade_assets.tt.formats.snapshot import SnapshotDocument

FILL_LISTS: Final = ("fills",)

LOOK_BACK: Final = timedelta(minutes=2)
"""TT says that a fill may be shown some time after it happened; one that is shown after a newer
one, but is not older by more than this, is still found. It costs bytes, and no call unless a page
is full."""

FUTURE_TOLERANCE: Final = timedelta(minutes=5)
"""A fill that is dated so much later than its answer came does not move the chain: all fills until
then would be lost. It stays among the known ones instead."""


MOST_CARRIED: Final = 500
"""So many known fills that the answers lack stay known. They lack those dated in the future where
the reading stopped before them, and those that TT took back: without a bound these would add up."""


def first_fills(slot: datetime) -> tuple[int, tuple[str, ...]]:
    """What the first snapshot of all asks for: fills since the start of the slot's trading day.

    As `next_fills`: nanoseconds since the epoch, and no known ids.
    """
    day = trading_date(slot.astimezone(CENTRAL).replace(tzinfo=None))
    start: datetime = trading_day_starts(pl.Series([day], dtype=pl.Date))[0]
    return micros_of(start) * 1000, ()


def next_fills(document: SnapshotDocument) -> tuple[int, tuple[str, ...]]:
    """What the snapshot after this one asks for.

    Returns:
        `LOOK_BACK` before the newest fill (nanoseconds since the epoch), but never before what this
        one asked for, which it is if there are no fills; and the ids that are known from that time
        on, with those that were known and are not in the answers (`MOST_CARRIED`), sorted.

    Raises:
        UnparsableFileError: an answer has no list of fills.
        ValueError: it is no document of fills.
    """
    since, seen = document.manifest.since_ns, document.manifest.seen
    if since is None:
        raise ValueError(f"{document.name}: its manifest has no since_ns")
    fills = [fill for raw in raw_rows(document, FILL_LISTS) if (fill := _time_and_id(raw))]
    newest = max((time for time, _, early in fills if not early), default=since)
    begin = max(since, newest - LOOK_BACK // timedelta(microseconds=1) * 1000)
    known = {name for time, name, _ in fills if time >= begin}
    absent = set(seen).difference(name for _, name, _ in fills)
    if begin == since:
        known.update(seen)
    elif len(absent) <= MOST_CARRIED:
        known |= absent
    return begin, tuple(sorted(known))


def _time_and_id(raw: RawRow) -> tuple[int, str, bool] | None:
    """Time and id of a fill, and whether it is from the future; None: it has no such."""
    if type(raw.value) is not dict:
        return None
    value: dict[str, Any] = raw.value
    try:
        time, name = as_time_ns(value.get("timeStamp")), as_text(value.get("uniqueExecId"))
    except PydanticCustomError:
        return None
    if time is None or name is None:
        return None
    limit = micros_of(raw.answer.received_at + FUTURE_TOLERANCE) * 1000
    return time, name, time > limit
