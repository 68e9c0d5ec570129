"""Keys of the bucket and of assets: how they are built and taken apart. Pure text; the grammar is
the contract.

``feeds/<source>/<feed>/dt=YYYY-MM-DD/hh=HH/<file name>``, day and hour in UTC when it was pushed;
``quarantine/<original key>`` and ``quarantine/<original key>.error.json`` beside it;
``reference/<name>.parquet``: what comes from no file; ``owed/<store>/…``: files that a store did
not get while it was away.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.registry import feeds
from trade_assets.errors import UnknownFeedError

FEEDS_PREFIX: Final = "feeds/"
QUARANTINE_PREFIX: Final = "quarantine/"
ERROR_SUFFIX: Final = ".error.json"
REFERENCE_PREFIX: Final = "reference/"
OWED_PREFIX: Final = "owed/"
FILES: Final = "files"
RAW: Final = "raw"
LATEST: Final = "latest"
HISTORY: Final = "history"
STORED_LAYERS: Final = (LATEST, HISTORY)
"""The layers that are written, in the order in which they are; all that a derived data set has."""
LAYERS: Final = (FILES, *STORED_LAYERS)
"""The layers of a feed, the last part of its assets' keys, in the order in which they come."""
SNAPSHOT_LAYERS: Final = (RAW, *STORED_LAYERS)
"""The layers of a kind of snapshot."""

PARTITION_FORMAT: Final = "%Y-%m-%d-%H:%M"
"""Dagster's key of an hour partition, e.g. `2025-07-17-19:00`."""

_KEY = re.compile(
    r"feeds/(?P<source>[^/]+)/(?P<feed>[^/]+)"
    r"/dt=(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})/hh=(?P<hour>[0-9]{2})/(?P<file_name>[^/]+)"
)

_HOUR = re.compile(r"/dt=([0-9]{4}-[0-9]{2}-[0-9]{2})/hh=([0-9]{2})/")


@dataclass(frozen=True, slots=True)
class FeedKey:
    """A feed file's key, taken apart. `hour` is the start of the UTC hour in which it landed."""

    key: str
    feed: Feed
    hour: datetime
    file_name: str

    @property
    def partition(self) -> str:
        """Dagster's partition key of the hour."""
        return self.hour.strftime(PARTITION_FORMAT)


def reference_key(name: str) -> str:
    """Key of a table of reference data."""
    return f"{REFERENCE_PREFIX}{name}.parquet"


def feed_prefix(feed: Feed) -> str:
    """Prefix of all files of a feed; below it keys sort by landing hour."""
    return f"{FEEDS_PREFIX}{feed.path}/"


def hour_prefix(feed: Feed, hour: datetime) -> str:
    """Prefix of the files of a feed that landed in the UTC hour which begins at `hour`."""
    return f"{feed_prefix(feed)}{day_and_hour(hour)}"


def day_and_hour(hour: datetime) -> str:
    """What follows in a prefix of whatever lies by hour."""
    return f"{hour.astimezone(UTC):dt=%Y-%m-%d/hh=%H/}"


def feed_file_key(feed: Feed, file_name: str, pushed_at: datetime) -> str:
    """Key under which a file pushed at `pushed_at` (aware) is stored."""
    return f"{hour_prefix(feed, pushed_at)}{file_name}"


def hour_of_key(key: str) -> datetime | None:
    """Start of the UTC hour that a key names with `dt=` and `hh=`; None: it names none."""
    match = _HOUR.search(key)
    if match is None:
        return None
    try:
        return datetime.strptime("".join(match.groups()), "%Y-%m-%d%H").replace(tzinfo=UTC)
    except ValueError:
        return None


def partition_hour(partition: str) -> datetime:
    """Start of an hour partition, UTC."""
    return datetime.strptime(partition, PARTITION_FORMAT).replace(tzinfo=UTC)


def parse_feed_key(key: str) -> FeedKey:
    """Take a feed file's key apart.

    Raises:
        UnknownFeedError: the key does not follow the grammar, or names a feed that is not there.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise UnknownFeedError(f"{key}: not a feed file's key (feeds/<source>/<feed>/dt=/hh=/name)")
    feed = feeds().get(f"{match['source']}/{match['feed']}")
    if feed is None:
        raise UnknownFeedError(f"{key}: no feed {match['source']}/{match['feed']} in the registry")
    try:
        hour = datetime.strptime(f"{match['day']} {match['hour']}", "%Y-%m-%d %H").replace(
            tzinfo=UTC
        )
    except ValueError:
        raise UnknownFeedError(f"{key}: its day and hour are not a time") from None
    return FeedKey(key=key, feed=feed, hour=hour, file_name=match["file_name"])
