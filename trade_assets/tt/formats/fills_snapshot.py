"""Fills: each trade once, in the first snapshot that saw it. How one snapshot's question follows
from the answer of the one before is `fills_chain`'s business."""

from typing import Final

from trade_assets.datasets.records import RECORD_KEY, ParsedFile
from trade_assets.tt.formats.answer_rows import Rows, finish, own_schema, read_rows
from trade_assets.tt.formats.column_texts import IDS, column_texts
from trade_assets.tt.formats.fills_chain import FILL_LISTS
from trade_assets.tt.formats.row_models import Fill
from trade_assets.tt.formats.snapshot import (
    TT_SOURCE,
    InstrumentNames,
    Snapshot,
    SnapshotDocument,
)


def read_fills(document: SnapshotDocument, names: InstrumentNames) -> ParsedFile:
    """New fills as columns of `Fill`; see `SnapshotReader` for the promise.

    A fill that an earlier snapshot has (`Manifest.seen`), and one that stands on two pages, is
    rejected as a duplicate. Half a trade is worth nothing: one without id, time, instrument, side,
    quantity or price is rejected.
    """
    rows = read_rows(document, FILL_LISTS, Fill)
    _drop_seen(rows, frozenset(document.manifest.seen))
    return finish(
        rows,
        Fill,
        key=lambda fill: fill.unique_execution_id,
        time_us=lambda fill, _: fill.time_ns // 1000,
        name=lambda fill: names.get(fill.tt_instrument_id),
        slot=document.manifest.slot,
    )


def _drop_seen(rows: Rows[Fill], seen: frozenset[str]) -> None:
    if not seen:
        return

    def reason(at: int) -> str | None:
        known = rows.items[at].unique_execution_id in seen
        return "an earlier snapshot has this fill" if known else None

    rows.drop(reason, duplicate=True)


TT_FILLS: Final = Snapshot(
    source=TT_SOURCE,
    name="tt_fills",
    title="TT: fills as they come",
    schema=own_schema(Fill),
    columns=column_texts(
        own_schema(Fill),
        "instrument",
        "side",
        "price",
        "quantity",
        "order_id",
        "account_id",
        "trade_date",
    ),
    ids=IDS | {RECORD_KEY},
    record_key_is="the fill (uniqueExecId)",
    event_time_is="when it was traded (timeStamp), UTC",
    freshness_seconds=120.0,
    kinds=frozenset({"json"}),
    traded_columns=("price",),
    read=read_fills,
)
