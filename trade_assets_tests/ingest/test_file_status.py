"""What Redis is told of files beside their records: the newest, what they cover, columns."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.keys import PARTITION_FORMAT, parse_feed_key
from trade_assets.feeds.feed_status import FeedStatus, feed_status
from trade_assets.feeds.stream.reporting import StreamReports
from trade_assets.ingest.figures import FileFigures
from trade_assets.ingest.file_status import note_files
from trade_assets.ingest.reading import FileResult, FileVersion
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.derived_files import VTEXP
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import (
    FILLS,
    HOUR,
    SPOT,
    history_items,
    ledger_key,
    spot_bytes,
    spot_key,
    spot_name,
)
from trade_assets_tests.support.stores import Stores

START = HOUR + timedelta(minutes=33)
"""Event time of `spot_key(0)`; the market is open."""
NOW = START + timedelta(minutes=5)


@pytest.fixture
def redis_only(settings: Settings) -> Iterator[Stores]:
    """Stores of which only Redis is there."""
    with Stores(settings) as made:
        yield made


def seen(second: int, *unknown_columns: str, key: str | None = None) -> FileResult:
    """A file that was read: `spot_key(second)`, or another one of that event time."""
    at = START + timedelta(seconds=second)
    return FileResult(
        FileVersion(key or spot_key(second), "etag", NOW),
        last_event_time=at,
        unknown_columns=unknown_columns,
    )


def note(stores: Stores, files: Sequence[FileResult], feed: Feed = SPOT) -> list[str]:
    """Note files; returns what was logged, a line each."""
    lags = {file.version.key: 0.5 for file in files}
    with capture_logs() as logs:
        note_files(stores, feed, files, NOW, lags)
    return [f"{line['event']}: {line.get('column')} in {line.get('file')}" for line in logs]


def status(stores: Stores, now: datetime) -> FeedStatus:
    """The spot-risk feed's status at a time."""
    return feed_status(stores, SPOT, now)


def gaps(stores: Stores, now: datetime) -> list[tuple[float, float]]:
    """Gaps that were over at a time, as seconds after `START`."""
    return [
        ((gap.start - START).total_seconds(), (gap.end - START).total_seconds())
        for gap in status(stores, now).gaps or ()
        if not gap.open
    ]


def test_the_newest_file_what_it_covers_and_its_unknown_columns_are_noted(
    redis_only: Stores,
) -> None:
    files = [seen(0), seen(40), seen(30, "VEGA", "RHO")]
    assert len(note(redis_only, files)) == 2
    found = status(redis_only, START + timedelta(seconds=45))
    assert found.last_file == spot_key(40)
    assert found.last_event_time == START + timedelta(seconds=40)
    assert found.last_ingest_time == NOW
    assert found.lag_seconds == 0.5
    assert found.unknown_columns == ("RHO", "VEGA")
    assert [(gap.start, gap.end, gap.files_expected) for gap in found.gaps or ()] == [
        (START, START + timedelta(seconds=30), 29)
    ]


def test_noting_again_changes_nothing(redis_only: Stores) -> None:
    files = [seen(0), seen(40), seen(20, "VEGA")]
    note(redis_only, files)
    later = START + timedelta(minutes=1)
    before = status(redis_only, later), redis_only.coverage.intervals(SPOT)
    assert note(redis_only, files) == []
    assert (status(redis_only, later), redis_only.coverage.intervals(SPOT)) == before


def test_an_older_file_closes_a_gap_and_leaves_the_newest_alone(redis_only: Stores) -> None:
    later = START + timedelta(minutes=1)
    note(redis_only, [seen(0), seen(30)])
    assert gaps(redis_only, later) == [(0, 30)]
    note(redis_only, [seen(15)])
    assert gaps(redis_only, later) == []
    assert status(redis_only, later).last_file == spot_key(30)


def test_files_without_a_time_leave_no_trace(redis_only: Stores) -> None:
    note(redis_only, [FileResult(FileVersion(spot_key(0), "etag", NOW))])
    assert redis_only.latest.status(SPOT) == {}
    assert redis_only.coverage.intervals(SPOT) == []


def test_a_feed_without_a_cadence_has_a_status_and_no_coverage(redis_only: Stores) -> None:
    note(redis_only, [seen(0, key=ledger_key()), seen(3000, key=ledger_key())], FILLS)
    assert redis_only.latest.status(FILLS)["last_file"] == ledger_key()
    assert redis_only.coverage.intervals(FILLS) == []
    assert feed_status(redis_only, FILLS, NOW).gaps == ()


def test_an_unknown_column_is_logged_once_for_all_processes(
    settings: Settings, redis_only: Stores
) -> None:
    first = f"unknown column, kept in extra: VEGA in {spot_key(1)}"
    assert note(redis_only, [seen(1, "VEGA"), seen(2, "VEGA")]) == [first]
    assert note(redis_only, [seen(3, "VEGA")]) == []
    with Stores(settings) as others:
        assert note(others, [seen(4, "VEGA")]) == []
        assert note(others, [seen(5, "VEGA", "RHO")]) == [
            f"unknown column, kept in extra: RHO in {spot_key(5)}"
        ]
        # What one feed has is news in another.
        assert len(note(others, [seen(6, "VEGA")], VTEXP)) == 1
    assert redis_only.unknown_columns.names(SPOT) == ["RHO", "VEGA"]


def test_a_late_file_goes_into_its_landing_hour_and_under_its_own_time(
    stores: Stores, quick: Settings
) -> None:
    late = spot_key(20, datetime.now(UTC))
    later = START + timedelta(minutes=1)
    reports = StreamReports()
    with consuming(stores, reports=reports):
        for second in (10, 30):
            key = spot_key(second)
            stores.objects.put(key, spot_bytes({"XCME.ZN.SEP25": 110.0 + second}))
            drained(stores, key)
        assert gaps(stores, later) == [(10, 30)]
        stores.objects.put(late, spot_bytes({"XCME.ZN.SEP25": 99.5}))
        drained(stores, late)
    assert gaps(stores, later) == []
    assert stores.latest.status(SPOT)["last_file"] == spot_key(30)
    (latest,) = stores.latest.read(SPOT, ["XCME.ZN.SEP25"])
    assert float(latest["bid_price"]) == 140.0
    assert [
        (item["sk"]["S"], item["file_key"]["S"], item["bid_price"]["N"])
        for item in history_items(quick)
        if item["pk"]["S"] == "actant#spot_risk#XCME.ZN.SEP25"
    ] == [
        (f"2025-07-17T19:33:{second}.000000Z#{spot_name(second)}", key, price)
        for second, key, price in (
            (10, spot_key(10), "120"), (20, late, "99.5"), (30, spot_key(30), "140"),
        )
    ]  # fmt: skip
    told = [figures for figures in reports.take() if isinstance(figures, FileFigures)]
    assert {figures.partition: figures.files for figures in told} == {
        HOUR.strftime(PARTITION_FORMAT): 2,
        parse_feed_key(late).partition: 1,
    }
