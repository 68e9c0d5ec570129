"""A desk at TT, a clock, and a taker over the real local parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client, s3_client
from trade_assets.stores.dynamodb.ledger import GENERATION_KEY
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.raw_documents import SnapshotDocuments
from trade_assets.tt.slots.results import SlotResult
from trade_assets.tt.slots.take import SnapshotTaker
from trade_assets_tests.stores.samples import items, raw_redis
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.model import ZF, ZN, Clock, ModelApi, TtModel

FIRST = datetime(2026, 11, 20, 15, 58, 30, tzinfo=UTC)
"""A slot shortly before an hour's end."""


@dataclass
class Desk:
    """All that a test needs to take slots."""

    settings: Settings
    stores: Stores
    model: TtModel
    api: ModelApi
    clock: Clock

    @property
    def documents(self) -> SnapshotDocuments:
        """The raw documents."""
        return SnapshotDocuments(self.stores.objects, self.settings.tt.environment.value)

    def taker(self, stores: Stores | None = None) -> SnapshotTaker:
        """A taker as a process of its own would make it; `stores` may be damaged ones."""
        parts = stores or self.stores
        return SnapshotTaker(
            self.settings, parts, self.api, parts.latest, parts.history, self.clock
        )

    def take(self, number: int, late: float = 0.031, run_id: str = "run") -> SlotResult:
        """Take a slot, so many seconds after it."""
        self.clock.at(slot_of(number), late)
        return self.taker().take(slot_of(number), run_id)

    def time_ns(self, number: int, offset_ns: int = 0) -> int:
        """Nanoseconds since the epoch of a slot."""
        seconds = (slot_of(number) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
        return seconds * 1_000_000_000 + offset_ns


def slot_of(number: int) -> datetime:
    """The slots of a test, from 0 on."""
    return FIRST + number * SLOT


@pytest.fixture
def capture_settings(module_settings: Settings) -> Settings:
    """Settings of empty stores, with which a store that is away is given up soon."""
    wipe(module_settings)
    return module_settings.changed({"store_retry_seconds": 0.2})


@pytest.fixture
def desk(capture_settings: Settings) -> Iterator[Desk]:
    """A desk with an order, a fill, a position and two instruments at TT."""
    with Stores(capture_settings) as stores:
        made = new_desk(capture_settings, stores)
        made.model.order("o1", 110.5, made.time_ns(-1))
        made.model.fill("f1", made.time_ns(-1))
        made.model.position(3.0, ZF)
        yield made


def new_desk(settings: Settings, stores: Stores) -> Desk:
    """A desk at which nothing has happened yet."""
    model, clock = TtModel(), Clock(FIRST)
    for instrument in (ZN, ZF):
        model.instrument(instrument)
    return Desk(settings, stores, model, ModelApi(model, clock), clock)


def forget_redis(settings: Settings) -> None:
    """What a Redis that lost its data looks like."""
    with raw_redis(settings) as client:
        client.flushdb()


def forget_history(settings: Settings) -> None:
    """What a history table that lost its items looks like."""
    forget_items(settings, settings.history_table)


def forget_items(settings: Settings, table: str) -> None:
    """Delete all items of a table but the one that names its life."""
    client = dynamodb_client(settings)
    for item in items(settings, table):
        if item["pk"]["S"] != GENERATION_KEY:
            client.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})


def wipe(settings: Settings) -> None:
    """Empty stores: quicker than making new ones."""
    forget_redis(settings)
    for table in (settings.history_table, settings.ledger_table):
        forget_items(settings, table)
    client = s3_client(settings)
    found = client.list_objects_v2(Bucket=settings.bucket).get("Contents", [])
    for item in found:
        client.delete_object(Bucket=settings.bucket, Key=item["Key"])
