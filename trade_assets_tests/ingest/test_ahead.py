"""Rows dated after their file landed, whatever the feed: rejected, and every row accounted for."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import EVENT_TIME, RECORD_KEY
from trade_assets.feeds.datasets import FEEDS
from trade_assets.ingest.reading import FileResult, FileVersion, accepted
from trade_assets_tests.samples.made_files import made_files
from trade_assets_tests.stores.samples import FILLS, FILLS_HEADER

TOLERANCE = 300.0
SAMPLES = {
    feed.path: (name.rpartition("/")[2], data)
    for name, data in made_files().items()
    for feed in FEEDS.values()
    if feed.file_pattern.fullmatch(name.rpartition("/")[2]) and b"record_key" not in data
}
"""A file of every feed."""


def read(feed: Feed, name: str, data: bytes, landed_at: datetime) -> FileResult:
    """A file that landed then."""
    key = f"feeds/{feed.path}/dt=2025-07-17/hh=19/{name}"
    result = FileResult(FileVersion(key, "1", landed_at), dataset=feed)
    return accepted(result, feed.parse(data, name), landed_at, TOLERANCE)


def test_there_is_a_sample_of_every_feed() -> None:
    assert SAMPLES.keys() == FEEDS.keys()


@pytest.mark.parametrize("path", SAMPLES)
@pytest.mark.parametrize("seconds", [0, 1])
def test_what_lands_within_the_tolerance_is_stored_and_what_landed_before_is_not(
    path: str, seconds: int
) -> None:
    feed, (name, data) = FEEDS[path], SAMPLES[path]
    parsed = feed.parse(data, name)
    newest = parsed.frame[EVENT_TIME].max()
    assert isinstance(newest, datetime)
    landed_at = newest - timedelta(seconds=TOLERANCE + feed.planned_seconds + seconds)
    found = read(feed, name, data, landed_at)
    late = parsed.frame.filter(pl.col(EVENT_TIME) == newest)
    assert found.rows_stored + len(found.rejected) == parsed.rows_in
    if not seconds:
        assert (found.rows_stored, found.ahead) == (parsed.frame.height, None)
        return
    assert found.ahead is not None
    assert found.ahead[RECORD_KEY].to_list() == late[RECORD_KEY].to_list()
    assert found.rows_stored == parsed.frame.height - late.height
    assert found.is_damaged
    assert (found.last_event_time or landed_at) < newest


@given(
    st.lists(st.integers(-3600, 3600), min_size=1, max_size=20),
    st.integers(-3600, 3600),
)
def test_every_row_is_either_possible_and_stored_or_rejected_with_its_number_and_why(
    offsets: list[int], landed: int
) -> None:
    start = datetime(2025, 7, 17, 15, tzinfo=UTC)
    lines = [
        f"{number},XCMEFFDPSX20250919U0ZN,"
        f"{start + timedelta(seconds=offset) - timedelta(hours=5):%Y-%m-%d %H:%M:%S}.000,B,1.0,111"
        for number, offset in enumerate(offsets, 1)
    ]
    data = (FILLS_HEADER + "\n".join(lines) + "\n").encode()
    landed_at = start + timedelta(seconds=landed)
    found = read(FILLS, "trades_20250717.csv", data, landed_at)
    assert found.records is not None
    possible = {number for number, offset in enumerate(offsets, 2) if offset <= landed + TOLERANCE}
    assert set(found.records["row"]) == possible
    assert [item.row for item in found.rejected] == sorted(
        set(range(2, len(offsets) + 2)) - possible
    )
    for item in found.rejected:
        seconds = offsets[item.row - 2] - landed
        assert f"{seconds} s after its file landed" in item.reason
        assert not item.duplicate
