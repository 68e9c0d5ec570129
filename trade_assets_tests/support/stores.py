"""Every store behind one object, for tests that look into several concerns."""

from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.settings import Settings
from trade_assets.stores.connections import Connections
from trade_assets.tt.tt_stores import TtStores


class Stores(FeedStores, TtStores):
    """The stores of `settings`, as patient as a run's."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(Connections(settings))
