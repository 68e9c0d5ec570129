"""What the IO managers of both stores share: finding the feed and the hours of a context."""

from typing import Final

import dagster as dg

from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.base import Feed
from trade_assets.feeds.registry import FEEDS
from trade_assets.stores.bundle import Stores
from trade_assets.streaming.hours import HourFiles

FILES: Final = "files"
LATEST: Final = "latest"
HISTORY: Final = "history"
LAYERS: Final = (FILES, LATEST, HISTORY)
"""The layers of a feed, the last part of its assets' keys, in the order in which they come."""


def feed_of_asset(asset_key: dg.AssetKey) -> Feed:
    """The feed of an asset `<source>/<feed>/<layer>`.

    Raises:
        UnknownFeedError: the key names no feed of the registry.
    """
    feed = FEEDS.get("/".join(asset_key.path[:2]))
    if feed is None:
        raise UnknownFeedError(f"asset {asset_key.to_user_string()} belongs to no feed")
    return feed


def input_files(context: dg.InputContext, stores: Stores) -> HourFiles:
    """The files behind the upstream partitions that a downstream asset asks for."""
    return HourFiles(stores, feed_of_asset(context.asset_key), context.asset_partition_keys)
