"""Rows of an hour so far: one number, whoever stored its files and whoever counts."""

from datetime import UTC, datetime

import pytest

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.feeds.hour_rows import HourRows
from trade_assets.stores.dynamodb.ledger import FileState, LedgerEntry
from trade_assets_tests.stores.samples import FILLS, HOUR, SPOT, ledger_key, spot_key
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

PARTITION = f"{HOUR:{PARTITION_FORMAT}}"
NOW = datetime.now(UTC)


def put(stores: Stores, key: str, data: bytes = b"a") -> str:
    """A file in the bucket that no line tells of; its ETag."""
    stores.objects.put(key, data)
    info = stores.objects.head(key)
    assert info is not None
    return info.etag


def store(stores: Stores, key: str, rows: int, data: bytes = b"a", rejected: int = 0) -> None:
    """A file in the bucket, and its line."""
    etag = put(stores, key, data)
    stores.ledger.record(
        [LedgerEntry(key, etag, FileState.STORED, rows + rejected, rows, rejected, NOW, NOW)]
    )


def test_files_that_others_stored_count_as_much_as_ones_own(stores: Stores) -> None:
    for second, rows in ((1, 10), (2, 20)):
        store(stores, spot_key(second), rows, rejected=3)
    counter = HourRows(stores)
    own = spot_key(3), put(stores, spot_key(3)), 5
    assert counter.total(SPOT, PARTITION, [own]) == 35
    # Another consumer's, between two reports.
    store(stores, spot_key(4), 100)
    assert counter.total(SPOT, PARTITION) == 135
    store(stores, spot_key(3), 5)
    assert HourRows(stores).total(SPOT, PARTITION) == 135


def test_a_file_on_its_way_counts_when_it_is_stored(stores: Stores) -> None:
    counter = HourRows(stores)
    put(stores, spot_key(1))
    store(stores, spot_key(2), 20)
    assert counter.total(SPOT, PARTITION) == 20
    store(stores, spot_key(1), 10)
    assert counter.total(SPOT, PARTITION) == 30


def test_a_rewritten_file_counts_once_with_its_newest_version(stores: Stores) -> None:
    counter = HourRows(stores)
    for rows in (3, 4):
        store(stores, ledger_key(), rows, data=b"a" * rows)
        assert counter.total(FILLS, PARTITION) == rows
    etag = put(stores, ledger_key(), b"five")
    assert counter.total(FILLS, PARTITION, [(ledger_key(), etag, 5)]) == 5
    assert counter.total(FILLS, PARTITION, [(ledger_key(), etag, 5)]) == 5
