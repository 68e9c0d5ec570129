"""The stores of the feeds: those of every ingest, the queue, heartbeats, and the past."""

from functools import cached_property

from trade_assets.feeds.stream.heartbeats import Heartbeats
from trade_assets.ingest.ingest_stores import IngestStores
from trade_assets.readers.as_of import AsOf
from trade_assets.stores.sqs.notifications import NotificationQueue


class FeedStores(IngestStores):
    """Stores of the feeds; each is made when it is first used."""

    @cached_property
    def queue(self) -> NotificationQueue:
        """Notifications of the bucket."""
        return NotificationQueue(self.settings, self.connections.file_retries)

    @cached_property
    def heartbeats(self) -> Heartbeats:
        """Live stream runs, in Redis."""
        stale_seconds = self.settings.stream.heartbeat_stale_seconds
        return Heartbeats(self.connections.redis, stale_seconds)

    @cached_property
    def as_of(self) -> AsOf:
        """Records as of a time, from both stores."""
        return AsOf(self.latest, self.history)

    def close(self) -> None:
        """Close the connections, and that of the queue."""
        if "queue" in self.__dict__:
            self.queue.close()
        super().close()
