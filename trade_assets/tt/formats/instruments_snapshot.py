"""The instruments that a slot's orders, fills and positions name."""

from typing import Final

from trade_assets.datasets.records import ParsedFile
from trade_assets.tt.formats.answer_rows import finish, micros_of, own_schema, read_rows
from trade_assets.tt.formats.column_texts import IDS, column_texts
from trade_assets.tt.formats.row_models import Instrument
from trade_assets.tt.formats.snapshot import (
    TT_SOURCE,
    InstrumentNames,
    Snapshot,
    SnapshotDocument,
)

INSTRUMENT_LISTS: Final = ("instrument", "instruments")
"""TT's name of the list where one was asked for, and where those of a product were."""


def read_instruments(document: SnapshotDocument, names: InstrumentNames) -> ParsedFile:
    """Instruments as columns of `Instrument`; see `SnapshotReader` for the promise.

    Their names are their own: `names` is not looked at.
    """
    return finish(
        read_rows(document, INSTRUMENT_LISTS, Instrument),
        Instrument,
        key=lambda instrument: instrument.tt_instrument_id,
        time_us=lambda _, answer: micros_of(answer.received_at),
        name=lambda instrument: instrument.instrument,
        slot=document.manifest.slot,
    )


def instrument_names(document: SnapshotDocument) -> dict[str, str]:
    """TT's names of the instruments in a document, by TT's id; what cannot be read has none.

    Raises:
        UnparsableFileError: an answer has no list of instruments.
    """
    items = read_rows(document, INSTRUMENT_LISTS, Instrument).items
    return {item.tt_instrument_id: item.instrument for item in items}


INSTRUMENTS: Final = Snapshot(
    source=TT_SOURCE,
    name="instruments",
    title="TT: instruments that the other snapshots name",
    schema=own_schema(Instrument),
    columns=column_texts(
        own_schema(Instrument),
        "instrument",
        "alias",
        "product_symbol",
        "expiration_date",
        "tick_size",
        "tick_value",
        "point_value",
    ),
    ids=IDS,
    record_key_is="TT's id of the instrument",
    event_time_is="when TT gave it, UTC",
    freshness_seconds=120.0,
    kinds=frozenset({"json"}),
    read=read_instruments,
)
