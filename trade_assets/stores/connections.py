"""All stores of a process behind one lazy object, so that connections are made once, when used."""

from functools import cached_property
from typing import Any

from trade_assets.readers.as_of import AsOf
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.dynamodb.history_store import HistoryStore
from trade_assets.stores.dynamodb.ledger import Ledger
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.stores.redis.coverage import Coverage
from trade_assets.stores.redis.heartbeats import Heartbeats
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.redis.unknown_columns import UnknownColumns
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets.stores.sqs.notifications import FeedQueue
from trade_assets.tt.slots.instrument_cache import InstrumentCache
from trade_assets.tt.slots.slot_board import SlotBoard
from trade_assets.tt.slots.slot_lease import SlotLease
from trade_assets.tt.slots.slot_log import SlotLog


class Stores:
    """The stores of `settings`; each is built at its first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def objects(self) -> ObjectStore:
        """The bucket."""
        return ObjectStore(self.settings)

    @cached_property
    def queue(self) -> FeedQueue:
        """Notifications of the bucket."""
        return FeedQueue(self.settings)

    @cached_property
    def history(self) -> HistoryStore:
        """Every record, in DynamoDB."""
        return HistoryStore(self.settings, self._dynamo)

    @cached_property
    def ledger(self) -> Ledger:
        """Ingested file versions, in DynamoDB."""
        return Ledger(self.settings, self._dynamo)

    @cached_property
    def latest(self) -> LatestStore:
        """Newest records, in Redis."""
        return LatestStore(self.settings, self._redis)

    @cached_property
    def as_of(self) -> AsOf:
        """Records as of a time, from both stores."""
        return AsOf(self.latest, self.history)

    @cached_property
    def coverage(self) -> Coverage:
        """Covered stretches of event time by feed, in Redis."""
        return Coverage(self._redis)

    @cached_property
    def columns(self) -> UnknownColumns:
        """Columns that the registry does not know, in Redis."""
        return UnknownColumns(self._redis)

    @cached_property
    def heartbeats(self) -> Heartbeats:
        """Live stream runs, in Redis."""
        return Heartbeats(self._redis, self.settings.stream.heartbeat_stale_seconds)

    @cached_property
    def slot_log(self) -> SlotLog:
        """Why slots have no whole snapshot, in DynamoDB."""
        return SlotLog(self.settings, self._dynamo)

    @cached_property
    def slot_board(self) -> SlotBoard:
        """The newest slot that was asked for, in Redis."""
        return SlotBoard(self.settings, self._redis)

    @cached_property
    def slot_lease(self) -> SlotLease:
        """Who takes snapshots right now, in Redis."""
        return SlotLease(self.settings, self._redis)

    @cached_property
    def instrument_cache(self) -> InstrumentCache:
        """Instruments as the API described them, in Redis."""
        return InstrumentCache(self.settings, self._redis)

    @cached_property
    def _dynamo(self) -> DynamoCalls:
        return DynamoCalls(self.settings)

    @cached_property
    def _redis(self) -> Any:
        return connect(self.settings)

    def close(self) -> None:
        """Close what was built."""
        for name in ("objects", "queue", "_dynamo"):
            if name in self.__dict__:
                self.__dict__[name].close()
        if "_redis" in self.__dict__:
            disconnect(self._redis)

    def __enter__(self) -> "Stores":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
