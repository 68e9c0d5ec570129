"""The stores of the snapshots: those of every ingest, and what is known of slots."""

from functools import cached_property

from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.tt.slots.instrument_cache import InstrumentCache
from trade_assets.tt.slots.slot_board import SlotBoard
from trade_assets.tt.slots.slot_lease import SlotLease
from trade_assets.tt.slots.slot_log import SlotLog
from trade_assets.tt.slots.spent_requests import SpentRequests
from trade_assets.tt.slots.written_marks import WrittenMarks


class TtStores(IngestStores):
    """Stores of the snapshots; each is made when it is first used."""

    @cached_property
    def slot_log(self) -> SlotLog:
        """Why slots have no whole snapshot, in DynamoDB."""
        return SlotLog(self.settings, self.connections.dynamodb)

    @cached_property
    def slot_board(self) -> SlotBoard:
        """The newest slot that was asked for, in Redis."""
        return SlotBoard(self.settings, self.connections.redis)

    @cached_property
    def slot_lease(self) -> SlotLease:
        """Who takes snapshots right now, in Redis."""
        return SlotLease(self.settings, self.connections.redis)

    @cached_property
    def written_marks(self) -> WrittenMarks:
        """How far both stores are, in Redis."""
        return WrittenMarks(self.connections.redis)

    @cached_property
    def spent_requests(self) -> SpentRequests:
        """What was sent of the day's budget, in DynamoDB and in Redis."""
        return SpentRequests(self.settings, self.connections.redis, self.connections.dynamodb)

    @cached_property
    def instrument_cache(self) -> InstrumentCache:
        """Instruments as the API described them, in Redis."""
        return InstrumentCache(self.settings, self.connections.redis)
