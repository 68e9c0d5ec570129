"""Times in names of files."""

from datetime import UTC, datetime

from trade_assets.datasets.records import EVENT_TIME_TYPE
from trade_assets.feeds.formats.file_names import repeated


def test_repeated_keeps_microseconds() -> None:
    at = datetime(2025, 7, 17, 1, 2, 3, 4, tzinfo=UTC)
    column = repeated("t", at, 2)
    assert (column.dtype, column.to_list()) == (EVENT_TIME_TYPE, [at, at])
    assert repeated("t", at, 0).len() == 0
