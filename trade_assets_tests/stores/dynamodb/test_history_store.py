"""The history table: exact round trips, rewritten feeds, repair, and DynamoDB's passing errors."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from trade_assets.datasets.dataset import Feed
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.dynamodb.history_store import HistoryStore
from trade_assets.stores.retrying import Retries
from trade_assets_tests.stores.dynamodb.faulty_dynamo import (
    FaultyDynamo,
    Forward,
    faulty_dynamo,
    half_unprocessed,
    half_unread,
    refusing,
)
from trade_assets_tests.stores.samples import FILLS, HOUR, SPOT, history_items, ledger_key, records
from trade_assets_tests.stores.test_serialise import EVERYTHING, any_records

START = datetime(2025, 7, 17, 14, 9, tzinfo=UTC)
unique = count()


@pytest.fixture
def store(provisioned: Settings) -> Iterator[HistoryStore]:
    made = HistoryStore(provisioned)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_store(module_settings: Settings) -> Iterator[HistoryStore]:
    made = HistoryStore(module_settings)
    yield made
    made.close()


def trades(hour: datetime, prices: dict[str, float]) -> pl.DataFrame:
    """Ledger records of the version that landed in `hour`: price by trade id."""
    return records(
        FILLS,
        (
            {
                "record_key": trade, "event_time": START, "file_key": ledger_key(hour),
                "price": price, "kind": "fill",
            }
            for trade, price in prices.items()
        ),
    )  # fmt: skip


def many(feed: Feed, number: int) -> pl.DataFrame:
    key = ledger_key() if feed is FILLS else "feeds/actant/spot_risk/dt=2025-07-17/hh=19/f.csv"
    return records(
        feed,
        (
            {"record_key": f"R{at}", "event_time": START, "file_key": key, "extra": f"{at}"}
            for at in range(number)
        ),
    )


def by_key(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("record_key")


@examples(max_examples=25)
@given(st.data())
def test_whatever_is_written_reads_back_exactly(
    shared_store: HistoryStore, data: st.DataObject
) -> None:
    written = data.draw(any_records(f"{next(unique)}-"))
    assert shared_store.write(EVERYTHING, written).rows == written.height
    assert_frame_equal(by_key(shared_store.fetch(EVERYTHING, written)), by_key(written))
    for record in written.to_dicts():
        (found,) = shared_store.read(EVERYTHING, record["record_key"])
        for name in ("price", "count"):
            value = record[name]
            assert (name in found) == (value is not None)
            if value is not None:
                assert isinstance(found[name], Decimal)
                assert type(value)(found[name]) == value


def test_the_same_input_twice_makes_the_same_items(
    store: HistoryStore, provisioned: Settings
) -> None:
    for feed in (SPOT, FILLS):
        assert store.write(feed, many(feed, 60)).puts == 60
    before = history_items(provisioned)
    assert len(before) == 120
    store.write(SPOT, many(SPOT, 60))
    assert store.write(FILLS, many(FILLS, 60)).puts == 0
    assert history_items(provisioned) == before


@pytest.mark.parametrize("feed", [SPOT, FILLS], ids=lambda feed: feed.name)
@pytest.mark.parametrize("number", [1, 25, 26, 100, 101, 260])
def test_batches_of_any_size_are_whole(shared_store: HistoryStore, feed: Feed, number: int) -> None:
    written = many(feed, number)
    assert shared_store.write(feed, written).rows == number
    assert shared_store.missing(feed, written) == 0
    assert_frame_equal(by_key(shared_store.fetch(feed, written)), by_key(written))


def test_records_of_one_key_and_name_in_two_hours_end_as_the_later(store: HistoryStore) -> None:
    later = trades(HOUR + timedelta(hours=1), {"1": 2.0})
    assert store.write(FILLS, pl.concat([trades(HOUR, {"1": 1.0}), later])).puts == 1
    assert_frame_equal(store.fetch(FILLS, later), later)


def test_only_changed_rows_of_a_rewritten_feed_are_put(store: HistoryStore) -> None:
    store.write(FILLS, trades(HOUR, {"1": 1.0, "2": 2.0}))
    grown = trades(HOUR, {"1": 1.0, "2": 2.5, "3": 3.0})
    assert store.write(FILLS, grown).puts == 2
    assert_frame_equal(by_key(store.fetch(FILLS, grown)), grown)


def test_an_earlier_hour_never_overwrites_a_later_one(
    store: HistoryStore, provisioned: Settings
) -> None:
    store.write(FILLS, trades(HOUR + timedelta(hours=1), {"1": 2.0}))
    before = history_items(provisioned)
    assert store.write(FILLS, trades(HOUR, {"1": 1.0, "2": 5.0})).puts == 1
    after = history_items(provisioned)
    assert after[:1] == before
    assert len(after) == 2


def test_a_later_version_that_comes_between_reading_and_writing_stays(
    provisioned: Settings,
) -> None:
    later = trades(HOUR + timedelta(hours=1), {"1": 2.0})
    direct = HistoryStore(provisioned)
    with faulty_dynamo(provisioned) as (dynamo, behind):

        def comes_between(_: bytes, __: Forward) -> None:
            direct.write(FILLS, later)

        dynamo.faults["PutItem"] = [comes_between]
        store = HistoryStore(behind)
        store.write(FILLS, trades(HOUR, {"1": 1.0}))
        store.close()
    assert_frame_equal(direct.fetch(FILLS, later), later)
    direct.close()


DAMAGES: dict[str, dict[str, Any] | None] = {
    "price changed": {"price": {"N": "99"}},
    "price as text": {"price": {"S": "1.0"}},
    "price gone": {"price": None},
    "attribute added": {"side": {"S": "buy"}},
    "file key gone": {"file_key": None},
    "file key garbage": {"file_key": {"S": "zzz"}},
    "file key a number": {"file_key": {"N": "5"}},
    "item gone": None,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("feed", [SPOT, FILLS], ids=lambda feed: feed.name)
def test_writing_again_repairs_a_damaged_item(
    shared_store: HistoryStore,
    module_settings: Settings,
    feed: Feed,
    damage: dict[str, Any] | None,
) -> None:
    price = {"price": 1.0} if feed is FILLS else {"bid_price": 1.0}
    key = ledger_key() if feed is FILLS else "feeds/actant/spot_risk/dt=2025-07-17/hh=19/f.csv"
    name = f"D{next(unique)}"
    row = {"record_key": name, "event_time": START, "file_key": key, **price}
    written = records(feed, [row])
    shared_store.write(feed, written)
    _damage(module_settings, f"{feed.source}#{feed.name}#{name}", damage)
    assert shared_store.write(feed, written).puts == 1
    assert_frame_equal(shared_store.fetch(feed, written), written)
    (found,) = shared_store.read(feed, name)
    assert "side" not in found


def _damage(settings: Settings, pk: str, changes: dict[str, Any] | None) -> None:
    client = dynamodb_client(settings)
    (item,) = [item for item in history_items(settings) if item["pk"]["S"] == pk]
    key = {"pk": item["pk"], "sk": item["sk"]}
    if changes is None:
        client.delete_item(TableName=settings.history_table, Key=key)
        return
    changed = {name: value for name, value in {**item, **changes}.items() if value is not None}
    client.put_item(TableName=settings.history_table, Item=changed)


def test_records_expire_only_where_the_feed_says_so(provisioned: Settings) -> None:
    ttl = provisioned.changed({"history_ttl_days": {"tt/fills": 2}})
    store = HistoryStore(ttl)
    written = trades(HOUR, {"1": 1.0})
    store.write(FILLS, written)
    store.write(SPOT, many(SPOT, 1))
    spot, fill = history_items(provisioned)
    assert "expires_at" not in spot
    assert fill["expires_at"] == {"N": str(int(START.timestamp()) + 2 * 86_400)}
    assert store.write(FILLS, written).puts == 0
    assert_frame_equal(store.fetch(FILLS, written), written)
    store.close()


def test_reading_takes_since_inclusive_and_until_exclusive(store: HistoryStore) -> None:
    moments = [START + timedelta(microseconds=at) for at in range(5)]
    store.write(
        SPOT,
        records(
            SPOT,
            (
                {"record_key": key, "event_time": moment, "file_key": f"feeds/{moment}.csv"}
                for key in ("K", "K2")
                for moment in moments
            ),
        ),
    )

    def seen(**options: Any) -> list[int]:
        found = store.read(SPOT, "K", **options)
        return [int(str(record["event_time"])[-2:-1]) for record in found]

    assert seen() == [4, 3, 2, 1, 0]
    assert seen(newest_first=False) == [0, 1, 2, 3, 4]
    assert seen(since=moments[1], until=moments[3]) == [2, 1]
    assert seen(since=moments[3]) == [4, 3]
    assert seen(until=moments[2]) == [1, 0]
    assert seen(limit=2) == [4, 3]
    assert seen(since=moments[2], until=moments[2]) == []
    assert seen(since=moments[3], until=moments[1]) == []


@pytest.fixture
def throttled(provisioned: Settings) -> Iterator[tuple[FaultyDynamo, HistoryStore]]:
    with faulty_dynamo(provisioned) as (dynamo, behind):
        store = HistoryStore(behind, DynamoCalls(behind, Retries(20)))
        yield dynamo, store
        store.close()


PASSING = [
    refusing("ProvisionedThroughputExceededException"),
    refusing("ThrottlingException"),
    refusing("InternalServerError", 500),
]


def test_passing_errors_are_retried_and_nothing_is_lost(
    throttled: tuple[FaultyDynamo, HistoryStore], provisioned: Settings
) -> None:
    dynamo, store = throttled
    dynamo.faults = {
        "BatchWriteItem": [*PASSING, half_unprocessed, half_unprocessed, *PASSING],
        "BatchGetItem": list(PASSING),
        "PutItem": list(PASSING),
    }
    spot, fills = many(SPOT, 130), many(FILLS, 130)
    store.write(SPOT, spot)
    assert store.write(FILLS, fills).puts == 130
    assert_frame_equal(by_key(store.fetch(SPOT, spot)), by_key(spot))
    dynamo.faults["BatchGetItem"] = [half_unread, half_unread, *PASSING]
    assert_frame_equal(by_key(store.fetch(FILLS, fills)), by_key(fills))
    assert len(history_items(provisioned)) == 260
    assert not any(dynamo.faults.values())
    # 6 batches of 25, and one request more for each of the 8 faults.
    assert dynamo.calls["BatchWriteItem"] == 6 + 8


@pytest.mark.parametrize("fault", [PASSING[0], half_unprocessed])
def test_retries_are_bounded(provisioned: Settings, fault: Any) -> None:
    with faulty_dynamo(provisioned) as (dynamo, behind):
        dynamo.faults["BatchWriteItem"] = [fault] * 1000
        store = HistoryStore(behind, DynamoCalls(behind, Retries(0.3)))
        with pytest.raises(StoreUnavailableError):
            store.write(SPOT, many(SPOT, 25))
        assert 2 <= dynamo.calls["BatchWriteItem"] < 1000
        store.close()


def test_a_refusal_is_permanent_and_not_tried_again(
    throttled: tuple[FaultyDynamo, HistoryStore],
) -> None:
    dynamo, store = throttled
    dynamo.faults["BatchWriteItem"] = [refusing("ValidationException")]
    with pytest.raises(StoreRejectedError, match="ValidationException"):
        store.write(SPOT, many(SPOT, 1))
    assert dynamo.calls == {"BatchWriteItem": 1}


def test_a_missing_table_is_permanent(settings: Settings) -> None:
    store = HistoryStore(settings)
    with pytest.raises(StoreRejectedError, match="ResourceNotFoundException"):
        store.write(SPOT, many(SPOT, 1))
    with pytest.raises(StoreRejectedError, match="ResourceNotFoundException"):
        list(store.read(SPOT, "K"))
    store.close()


def test_an_endpoint_that_is_away_is_a_passing_error(settings: Settings) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    away = settings.changed({"aws_endpoint_url_dynamodb": url})
    store = HistoryStore(away, DynamoCalls(away, Retries(0.2)))
    with pytest.raises(StoreUnavailableError, match="cannot reach"):
        store.write(SPOT, many(SPOT, 1))
    store.close()
