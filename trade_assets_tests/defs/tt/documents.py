"""Raw snapshots as slots left them in the bucket: what reruns read."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.formats.snapshot import AnswerInfo, Manifest, SnapshotDocument
from trade_assets.tt.slots.raw_documents import SnapshotDocuments
from trade_assets_tests.defs.tt.fake_tt import (
    INSTRUMENT,
    Row,
    fill,
    instrument,
    order,
    position,
)
from trade_assets_tests.support.stores import Stores

HOUR = datetime(2025, 5, 15, 17, 0, tzinfo=UTC)
NEXT_HOUR = HOUR + timedelta(hours=1)
PARTITION = HOUR.strftime(PARTITION_FORMAT)
NEXT_PARTITION = NEXT_HOUR.strftime(PARTITION_FORMAT)
KINDS = ("orders", "fills", "positions", "instruments")
FIRST_NS = 1747328400_000000000
"""17:00:00, in nanoseconds."""


def put_document(
    stores: Stores, kind: str, slot: datetime, rows: Sequence[Row], since_ns: int | None = None
) -> str:
    """Keep an answer with these rows as the raw snapshot of a slot; its key."""
    name = "instrument" if kind == "instruments" else kind
    body = orjson.dumps({name: list(rows), "lastPage": "true", "status": "Ok"})
    environment = stores.settings.tt.environment.value
    info = AnswerInfo(f"fake/{kind}", {}, slot + timedelta(seconds=1), len(body))
    manifest = Manifest(environment, kind, slot, (info,), since_ns=since_ns)
    return (
        SnapshotDocuments(stores.objects, environment).put(SnapshotDocument(manifest, (body,))).key
    )


def put_slot(stores: Stores, number: int, orders: Sequence[Row], hour: datetime = HOUR) -> None:
    """All kinds of the slot of this number of an hour: these orders, a fill of its own, and a
    position that only the first slot of an hour changes."""
    slot = hour + number * SLOT
    since = FIRST_NS + round((slot - HOUR).total_seconds()) * 1_000_000_000
    put_document(stores, "instruments", slot, [instrument(INSTRUMENT)])
    put_document(stores, "orders", slot, orders)
    put_document(stores, "positions", slot, [position(float(hour.hour))])
    name = (hour.hour - HOUR.hour) * 1000 + number
    put_document(stores, "fills", slot, [fill(name, since + 7)], since)


def put_hours(stores: Stores) -> None:
    """Three slots of an hour and one of the next: an order changes, one goes, one comes."""
    put_slot(stores, 0, [order("a", 110.0), order("b", 111.0)])
    put_slot(stores, 1, [order("a", 110.0), order("b", 111.5, 1747328600000000000)])
    put_slot(stores, 2, [order("b", 111.5, 1747328600000000000)])
    put_slot(stores, 0, [order("c", 112.0)], NEXT_HOUR)
