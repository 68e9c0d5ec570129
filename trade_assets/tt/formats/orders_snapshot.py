"""The working orders of every account: the set as a whole, as it was in a slot."""

from typing import Final

from trade_assets.datasets.records import RECORD_KEY, ParsedFile
from trade_assets.tt.formats.answer_rows import finish, own_schema, read_rows
from trade_assets.tt.formats.column_texts import IDS, column_texts
from trade_assets.tt.formats.row_models import Order
from trade_assets.tt.formats.snapshot import (
    TT_SOURCE,
    InstrumentNames,
    Snapshot,
    SnapshotDocument,
)

ORDER_LISTS: Final = ("orders",)


def read_orders(document: SnapshotDocument, names: InstrumentNames) -> ParsedFile:
    """Orders as columns of `Order`; see `SnapshotReader` for the promise.

    An order that stands twice (it moved from one page to the next meanwhile) is the later one.
    """
    return finish(
        read_rows(document, ORDER_LISTS, Order),
        Order,
        key=lambda order: order.order_id,
        time_us=lambda order, _: order.time_ns // 1000,
        name=lambda order: names.get(order.tt_instrument_id),
        slot=document.manifest.slot,
    )


ORDERS: Final = Snapshot(
    source=TT_SOURCE,
    name="orders",
    title="TT: working orders, the whole set in every slot",
    schema=own_schema(Order),
    columns=column_texts(
        own_schema(Order),
        "instrument",
        "side",
        "price",
        "quantity",
        "order_status",
        "filled_quantity",
        "working_quantity",
        "order_type",
        "time_in_force",
        "stop_price",
        "account_id",
    ),
    ids=IDS | {RECORD_KEY},
    record_key_is="the order (orderId)",
    event_time_is="when the order last changed (dateTime), UTC",
    replaced=True,
    freshness_seconds=120.0,
    kinds=frozenset({"json"}),
    traded_columns=("price", "stop_price"),
    read=read_orders,
)
