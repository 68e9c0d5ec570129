"""Files that no notification announced: found by listing the bucket behind a watermark.

Keys of a feed sort by landing hour and, within it, by the time in the file name, so that one
listing behind the last settled key finds what is new, whatever else the bucket holds. What that
misses (a name older than the watermark that lands late, a key that is rewritten) is caught by
looking at the current hours of rewritten feeds at every scan, and at every hour once more when it
is over.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import feed_prefix, hour_prefix, parse_feed_key
from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.ingest.json_cursor import JsonCursor
from trade_assets.stores.dynamodb.ledger import FileState, LedgerEntry
from trade_assets.stores.s3.objects import LIST_PAGE, ObjectInfo

CLOSING_DELAY: Final = timedelta(minutes=5)
"""An hour is looked at once more, as a whole, this long after its end."""
BACKLOG_MESSAGES: Final = 20
"""With more than this in the queue, files that are not stored yet are waiting, not missed."""
ATTEMPTS: Final = 5
"""Runs that may be requested for the same files before they are given up as failed."""


@dataclass
class ScanCursor(JsonCursor):
    """Where scanning stands; bounded in size. Keys of the dicts are feed paths.

    `after` is the last settled key, `closed` the bound up to which hours were looked at again, and
    `closing` the position inside an unfinished closing look. `blocked` is the first file that was
    requested and is still not settled, with the number of requests.
    """

    generation: str | None = None
    after: dict[str, str] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)
    closing: dict[str, str] = field(default_factory=dict)
    blocked: list[Any] | None = None


@dataclass
class Scan:
    """What a scan found: `missed` files in key order, oldest hour first."""

    missed: list[ObjectInfo] = field(default_factory=list)
    examined: int = 0
    note: str = ""


class BucketScanner:
    """Finds the files that are in the bucket and in no ledger. One scan a tick."""

    def __init__(self, stores: FeedStores, missed_after: timedelta) -> None:
        self._stores = stores
        self._missed_after = missed_after

    def scan(self, cursor: ScanCursor, now: datetime) -> Scan:
        """Look once; moves the cursor behind what is settled. At most a page a feed and look."""
        self._follow_generation(cursor)
        found = Scan()
        for feed in FEEDS.values():
            self._scan_new(feed, cursor, now, found)
            self._scan_closing(feed, cursor, now, found)
        unique = {info.key: info for info in found.missed}
        found.missed = sorted(unique.values(), key=lambda info: info.key.split("/", 3)[3])
        return found

    def give_up(self, infos: list[ObjectInfo], now: datetime) -> None:
        """Note files as failed that several runs could not ingest; scanning goes on behind them."""
        self._stores.ledger.record(
            [
                LedgerEntry(
                    info.key, info.etag, FileState.FAILED, 0, 0, 0, info.landed_at, now,
                    error=f"not ingested by {ATTEMPTS} runs; materialise its hour by hand",
                )
                for info in infos
            ]
        )  # fmt: skip

    def _follow_generation(self, cursor: ScanCursor) -> None:
        """A ledger with another name has lost its lines: begin again, from the first key."""
        generation = self._stores.ledger.generation()
        if generation != cursor.generation:
            cursor.generation = generation
            cursor.after, cursor.closed, cursor.closing = {}, {}, {}
            cursor.blocked = None

    def _scan_new(self, feed: Feed, cursor: ScanCursor, now: datetime, found: Scan) -> None:
        after = cursor.after.get(feed.path)
        start = after
        if feed.rewritten and after is not None:
            start = min(after, hour_prefix(feed, now - timedelta(hours=1)))
        settled = self._look(self._page(feed, start), now, found)
        if settled is not None:
            cursor.after[feed.path] = max(settled, after or "")

    def _scan_closing(self, feed: Feed, cursor: ScanCursor, now: datetime, found: Scan) -> None:
        bound = hour_prefix(feed, now - CLOSING_DELAY)
        closed = cursor.closed.setdefault(feed.path, bound)
        if closed >= bound:
            return
        page = list(self._page(feed, cursor.closing.get(feed.path, closed)))
        inside = [info for info in page if info.key < bound]
        settled = self._look(iter(inside), now, found)
        if settled is not None:
            cursor.closing[feed.path] = settled
        whole = len(inside) < len(page) or len(page) < LIST_PAGE
        if whole and (not inside or settled == inside[-1].key):
            cursor.closed[feed.path] = bound
            cursor.closing.pop(feed.path, None)

    def _page(self, feed: Feed, after: str | None) -> Iterator[ObjectInfo]:
        return islice(self._stores.objects.list_after(feed_prefix(feed), after), LIST_PAGE)

    def _look(self, infos: Iterator[ObjectInfo], now: datetime, found: Scan) -> str | None:
        """Sort out files; returns the last key before the first one that is not settled."""
        page = list(infos)
        found.examined += len(page)
        known = self._stores.ledger.known((info.key, info.etag) for info in page)
        last_settled = None
        unbroken = True
        for info in page:
            if (info.key, info.etag) in known or not _is_feed_key(info.key):
                last_settled = info.key if unbroken else last_settled
                continue
            unbroken = False
            if now - info.landed_at >= self._missed_after:
                found.missed.append(info)
        return last_settled


def _is_feed_key(key: str) -> bool:
    try:
        parse_feed_key(key)
    except UnknownFeedError:
        return False
    return True
