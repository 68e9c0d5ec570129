"""The positions of every account: the set as a whole, as it was in a slot."""

from typing import Final

from trade_assets.datasets.records import ParsedFile
from trade_assets.tt.formats.answer_rows import finish, micros_of, own_schema, read_rows
from trade_assets.tt.formats.column_texts import IDS, column_texts
from trade_assets.tt.formats.row_models import Position
from trade_assets.tt.formats.snapshot import (
    TT_SOURCE,
    InstrumentNames,
    Snapshot,
    SnapshotDocument,
)

POSITION_LISTS: Final = ("positions",)


def read_positions(document: SnapshotDocument, names: InstrumentNames) -> ParsedFile:
    """Positions as columns of `Position`; see `SnapshotReader` for the promise."""
    # TT gives no time: what a position was is true of the slot.
    slot_us = micros_of(document.manifest.slot)
    return finish(
        read_rows(document, POSITION_LISTS, Position),
        Position,
        key=lambda position: f"{position.account_id}/{position.tt_instrument_id}",
        time_us=lambda _, __: slot_us,
        name=lambda position: names.get(position.tt_instrument_id),
        slot=document.manifest.slot,
    )


POSITIONS: Final = Snapshot(
    source=TT_SOURCE,
    name="positions",
    title="TT: positions, the whole set in every slot",
    schema=own_schema(Position),
    columns=column_texts(
        own_schema(Position),
        "instrument",
        "position_quantity",
        "pnl",
        "average_open_price",
        "opening_quantity",
        "bought_quantity",
        "sold_quantity",
        "realized_pnl",
        "pnl_price",
    ),
    ids=IDS,
    record_key_is="the account and TT's id of the instrument, <accountId>/<instrumentId>",
    event_time_is="the slot",
    replaced=True,
    freshness_seconds=120.0,
    kinds=frozenset({"json"}),
    read=read_positions,
)
