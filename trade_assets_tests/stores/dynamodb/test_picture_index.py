"""Which pictures the history answers for, and records for which others stand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import polars as pl
import pytest

from trade_assets.datasets.pictures import Picture
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.dynamodb.history_store import HistoryStore
from trade_assets.stores.dynamodb.picture_index import PictureIndex
from trade_assets_tests.stores.samples import SPOT, records

hours = (datetime(2025, 7, 17, 19, tzinfo=UTC) + timedelta(hours=number) for number in count(0, 2))
"""An hour a test, and the one behind it: the table is shared."""


def picture(hour: datetime, seconds: int, part: int = 0, digest: str = "d") -> Picture:
    name = f"spot_{seconds:04}_{part}.csv"
    key = f"feeds/actant/spot_risk/dt=2025-07-17/hh=19/{name}"
    return Picture(hour + timedelta(seconds=seconds), name, key, digest)


def record(hour: datetime, seconds: int, key: str, bid: float) -> dict[str, object]:
    made = picture(hour, seconds)
    return {
        RECORD_KEY: key, EVENT_TIME: made.event_time, FILE_KEY: made.file_key, "bid_price": bid
    }  # fmt: skip


@pytest.fixture
def hour() -> datetime:
    return next(hours)


@pytest.fixture(scope="module")
def store(module_settings: Settings) -> Iterator[HistoryStore]:
    made = HistoryStore(module_settings)
    yield made
    made.close()


@pytest.fixture(scope="module")
def index(module_settings: Settings) -> Iterator[PictureIndex]:
    calls = DynamoCalls(module_settings)
    yield PictureIndex(module_settings, calls)
    calls.close()


def around(index: PictureIndex, hour: datetime, first: int, last: int) -> list[str]:
    found = index.around(SPOT, hour + timedelta(seconds=first), hour + timedelta(seconds=last))
    return [made.file_name for made in sorted(found)]


def test_neighbours_are_the_whole_moments_beside(index: PictureIndex, hour: datetime) -> None:
    noted = [picture(hour, seconds, part) for seconds in (1, 2, 4, 5, 6) for part in (1, 2)]
    index.note(SPOT, [*noted, picture(hour + timedelta(hours=1), 0)])
    assert around(index, hour, 3, 3) == [
        f"spot_000{s}_{part}.csv" for s in (2, 4) for part in (1, 2)
    ]
    assert around(index, hour, 2, 4) == [
        f"spot_000{s}_{part}.csv" for s in (1, 2, 4, 5) for part in (1, 2)
    ]
    assert around(index, hour, 0, 0) == ["spot_0001_1.csv", "spot_0001_2.csv"]
    assert around(index, hour, 7, 8) == ["spot_0006_1.csv", "spot_0006_2.csv"]


def test_more_parts_than_a_page_and_more_pictures_than_a_page(
    index: PictureIndex, hour: datetime
) -> None:
    noted = [picture(hour, seconds, part) for seconds in range(4) for part in range(10, 80)]
    index.note(SPOT, noted)
    assert len(around(index, hour, 1, 2)) == len(noted)
    assert len(around(index, hour, 3, 3)) == 140


def test_a_picture_reads_back_and_is_replaced(index: PictureIndex, hour: datetime) -> None:
    first, newer = picture(hour, 1), picture(hour, 1, digest="other")
    kept = Picture(hour, "a.csv", "feeds/a.csv", "e", expires_at=1_900_000_000)
    index.note(SPOT, [first, kept])
    index.note(SPOT, [newer])
    found = sorted(index.around(SPOT, hour, hour))
    assert [(made.version, made.expires_at) for made in found] == [
        (kept.version, 1_900_000_000), (newer.version, None),
    ]  # fmt: skip


def test_removed_records_take_their_picture_with_them(
    store: HistoryStore, index: PictureIndex, hour: datetime
) -> None:
    store.put(SPOT, records(SPOT, [record(hour, 1, "A", 1.0), record(hour, 2, "A", 2.0)]))
    index.note(SPOT, [picture(hour, 1), picture(hour, 2)])
    (last,) = store.read(SPOT, "A", since=hour + timedelta(seconds=2), limit=1)
    store.remove(SPOT, [last])
    assert around(index, hour, 0, 9) == ["spot_0001_0.csv"]
    assert [row["bid_price"] for row in store.read(SPOT, "A", since=hour)] == [1]


def test_records_that_others_stand_for_are_found(store: HistoryStore, hour: datetime) -> None:
    said = [
        record(hour, seconds, key, bid)
        for seconds, bids in enumerate(({"B": 1.0, "C": 5.0}, {"B": 1.0, "C": 6.0}, {"B": 1.0}))
        for key, bid in bids.items()
    ]
    whole = records(SPOT, said)
    store.put(SPOT, whole[[0, 1, 3]])
    found = store.fetch(SPOT, whole).sort(EVENT_TIME, RECORD_KEY)
    assert found.equals(whole)
    # By a query a record, where nothing is at hand.
    assert store.fetch(SPOT, whole[[4]]).equals(whole[[4]])
    assert store.missing(SPOT, whole) == 0


def test_a_record_that_says_something_else_is_missing(store: HistoryStore, hour: datetime) -> None:
    whole = records(
        SPOT, [record(hour, seconds, "D", bid) for seconds, bid in ((0, 1.0), (1, 2.0))]
    )
    store.put(SPOT, whole.head(1))
    assert store.missing(SPOT, whole) == 1


def test_only_rows_of_the_same_file_are_taken_out(store: HistoryStore, hour: datetime) -> None:
    rows = records(SPOT, [record(hour, 0, "E", 1.0), record(hour, 1, "E", 1.0)])
    store.put(SPOT, rows)
    elsewhere = pl.col(FILE_KEY).str.replace("hh=19", "hh=20")
    store.take_out(SPOT, rows.tail(1).with_columns(elsewhere))
    assert store.missing(SPOT, rows) == 0
    store.take_out(SPOT, rows.tail(1))
    assert len(list(store.read(SPOT, "E", since=hour))) == 1
