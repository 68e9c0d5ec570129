"""The end of a rerun: follow what was rewritten meanwhile, and account for every file."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.ingest.file_status import note_files
from trade_assets.ingest.reading import (
    REWRITE_ROUNDS,
    account,
    by_feed,
    stale_versions,
)
from trade_assets.stores.connections import Stores
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.retrying import retrying

FeedWrite = Callable[[Feed, pl.DataFrame], object]
"""Writes records of a feed, or what is derived from them, into a store."""


def follow_rewrites(stores: Stores, files: HourFiles, writes: tuple[FeedWrite, ...]) -> None:
    """Write the current version of every key that was rewritten between its reading and now.

    Raises:
        StoreUnavailableError: a key is rewritten faster than it can be read; run it again.
    """
    if not files.feed.rewritten:
        return
    again = retrying(stores.settings.stores.retry_seconds)
    for _ in range(REWRITE_ROUNDS):
        stale = again(stale_versions, stores.objects, files.results)
        if not stale:
            return
        for batch in by_feed(files.read(stale)):
            for write in writes:
                again(write, batch.feed, batch.records)
    raise StoreUnavailableError(
        f"{stale[0].key} is rewritten faster than it can be read; materialise the hour again"
    )


def account_hour(stores: Stores, files: HourFiles, run_id: str) -> None:
    """Ledger, quarantine and status of a rerun's files, when both stores have the rows.

    Raises:
        StoreRejectedError: naming the files that could not be read for a reason that is not in
            them; all others are accounted for.
    """
    again = retrying(stores.settings.stores.retry_seconds)
    results = files.results
    again(account, stores.objects, stores.ledger, results, run_id, True)
    now = datetime.now(UTC)
    lags = {item.version.key: item.version.lag_seconds(now) for item in results}
    again(note_files, stores, files.feed, results, now, lags, True)
    failed = [item for item in results if item.state is FileState.FAILED]
    if failed:
        listed = "; ".join(f"{item.version.key}: {item.error}" for item in failed[:10])
        raise StoreRejectedError(f"{len(failed)} files could not be ingested: {listed}")
