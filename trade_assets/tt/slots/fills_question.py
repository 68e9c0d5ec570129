"""Where the question for fills goes on: at the documents that were put last, however old they are.

Not simply from the slot before: a clock that was ahead for a while has left documents of later
slots, which are the slots before later on. When an object landed is the bucket's own clock.
"""

from datetime import datetime, timedelta
from typing import Final

from trade_assets.errors import UnparsableFileError
from trade_assets.tt.datasets import FILLS
from trade_assets.tt.formats.fills_chain import first_fills, next_fills
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.raw_documents import SnapshotDocuments, StoredDocument

LOOKED_BACK: Final = timedelta(hours=4)
"""How far back from the newest slot documents are looked at by when they landed: by so much a clock
may have been ahead."""
LANDED_TOGETHER: Final = timedelta(seconds=60)
"""Documents that landed so shortly before the last one are looked at too: clocks have jitter."""
MOST_HEADS: Final = 20

Head = tuple[int, tuple[str, ...]]
"""Epoch nanoseconds from which on fills are asked for, and the ids of those that are known."""


def fills_question(documents: SnapshotDocuments, slot: datetime) -> Head:
    """What a slot asks for: all fills that no document has.

    Raises:
        StoreUnavailableError: the bucket cannot be reached.
    """
    heads = _heads(documents, slot)
    if not heads:
        return first_fills(slot)
    # The one that was put last has the greatest time, since it asked on from the others.
    since = max(head[0] for head in heads)
    seen = {name for head in heads for name in head[1]}
    return since, tuple(sorted(seen))


def _heads(documents: SnapshotDocuments, slot: datetime) -> list[Head]:
    heads = _heads_around(documents, slot)
    older = None if heads else documents.before(FILLS, slot)
    while older is not None and not heads:
        heads = _heads_around(documents, older.slot + SLOT)
        older = documents.before(FILLS, older.slot)
    return heads


def _heads_around(documents: SnapshotDocuments, slot: datetime) -> list[Head]:
    """Where the documents lead to that were put last, of those from `LOOKED_BACK` before a slot."""
    landed = documents.infos_after(FILLS, slot - LOOKED_BACK)
    if not landed:
        return []
    last = max(info.landed_at for info in landed)
    together = [info for info in landed if info.landed_at >= last - LANDED_TOGETHER]
    together.sort(key=lambda info: (info.landed_at, info.key))
    # A bucket that was copied has landed in any order: there the newest slot counts.
    before = [info for info in landed if info.key < documents.key(FILLS, slot)][-1:]
    keys = {info.key for info in (*together[-MOST_HEADS:], *before)}
    loaded = documents.load(sorted(keys))
    return [head for item in loaded if (head := _head(item)) is not None]


def _head(stored: StoredDocument) -> Head | None:
    if stored.document is None:
        return None
    try:
        return next_fills(stored.document)
    except (UnparsableFileError, ValueError):
        return None
