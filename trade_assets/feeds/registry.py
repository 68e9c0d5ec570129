"""The registry: which feeds exist. Adding one is a module beside this and a line in `FEEDS`."""

from collections.abc import Mapping
from typing import Final

from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.base import Feed
from trade_assets.feeds.fills import FILLS
from trade_assets.feeds.spot_risk import SPOT_RISK

FEEDS: Final[Mapping[str, Feed]] = {feed.path: feed for feed in (SPOT_RISK, FILLS)}
"""Every feed by its path, `<source>/<name>`."""


def feed_named(name: str) -> Feed:
    """The feed of a path (`actant/spot_risk`) or of a bare name that only one source has.

    Raises:
        UnknownFeedError: listing the feeds that exist.
    """
    matches = [feed for path, feed in FEEDS.items() if name in (path, feed.name)]
    if len(matches) != 1:
        raise UnknownFeedError(f"no feed {name!r}; the feeds are {', '.join(sorted(FEEDS))}")
    return matches[0]


def feed_of_file(file_name: str) -> Feed | None:
    """The feed whose name pattern the file name matches as a whole, or None."""
    for feed in FEEDS.values():
        if feed.file_pattern.fullmatch(file_name):
            return feed
    return None
