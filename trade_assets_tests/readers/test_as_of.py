"""Records as of a time, from a real Redis and a real DynamoDB table: against a plain list."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.feeds.formats.sod import SOD
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets_tests.stores.dynamodb.faulty_dynamo import faulty_dynamo
from trade_assets_tests.stores.samples import SPOT, records
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

START = datetime(2025, 7, 17, 19, 33, tzinfo=UTC)
FOLDER = "feeds/actant/spot_risk/dt=2025-07-17/hh=19"

Version = tuple[int, str]
"""Microseconds of the event time after `START`, and the file that says it."""


@pytest.fixture(scope="module")
def stores(module_settings: Settings) -> Iterator[Stores]:
    """Stores that the tests of this module share: each has record keys of its own."""
    with Stores(module_settings) as opened:
        yield opened


def at(micros: int) -> datetime:
    return START + timedelta(microseconds=micros)


def new_key() -> str:
    return f"XCME.{uuid4().hex}"


def frame_of(key: str, versions: Sequence[Version]) -> pl.DataFrame:
    """Versions of a record, of every type and with nulls; the bid says which one it is."""
    return records(
        SPOT,
        (
            {
                "record_key": key,
                "event_time": at(micros),
                "file_key": f"{FOLDER}/{name}",
                "trading_date": START.date(),
                "strike_price": 110.75,
                "bid_price": micros / 64,
                "position_quantity": -micros,
            }
            for micros, name in versions
        ),
    )


def write(stores: Stores, frame: pl.DataFrame) -> pl.DataFrame:
    stores.history.write(SPOT, frame)
    stores.latest.write(SPOT, frame)
    return frame


def ordered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("record_key", "event_time", "file_key")


def found(stores: Stores, keys: Sequence[str], first: int, last: int) -> list[tuple[str, int]]:
    """Key and event time, in microseconds after `START`, of what is found."""
    frame = ordered(stores.as_of.records(SPOT, keys, at(first), at(last)))
    return [
        (key, (time - START) // timedelta(microseconds=1))
        for key, time in frame.select("record_key", "event_time").iter_rows()
    ]


def test_redis_alone_answers_where_its_record_is_not_newer(stores: Stores) -> None:
    key = new_key()
    frame = frame_of(key, [(5, "a.csv")])
    stores.latest.write(SPOT, frame)  # and nothing of it in DynamoDB
    for first in (5, 6, 1000):
        assert_frame_equal(stores.as_of.records(SPOT, [key], at(first), at(2000)), frame)


def test_dynamodb_answers_where_redis_has_moved_on(stores: Stores) -> None:
    key = new_key()
    times = [0, 10, 20, 30, 40]
    frame = write(stores, frame_of(key, [(micros, "a.csv") for micros in times]))
    # The newest one at or before the first moment, and all that came until the last.
    answer = ordered(stores.as_of.records(SPOT, [key], at(15), at(35)))
    assert_frame_equal(answer, ordered(frame)[1:4])


@pytest.mark.parametrize(
    ("first", "last", "times"),
    [
        (20, 30, [20, 30]),
        (19, 29, [10, 20]),
        (20, 20, [20]),
        (21, 29, [20]),
        (0, 40, [0, 10, 20, 30, 40]),
        (-1, 0, [0]),
        (-2, -1, []),
        (39, 40, [30, 40]),
        (40, 40, [40]),
        (39, 39, [30]),
        (41, 50, [40]),
    ],
)
def test_both_bounds_are_inclusive(stores: Stores, first: int, last: int, times: list[int]) -> None:
    key = new_key()
    write(stores, frame_of(key, [(micros, "a.csv") for micros in (0, 10, 20, 30, 40)]))
    assert found(stores, [key], first, last) == [(key, micros) for micros in times]


def test_dynamodb_answers_for_what_redis_has_lost(stores: Stores) -> None:
    key = new_key()
    frame = frame_of(key, [(micros, "a.csv") for micros in (0, 10, 20)])
    stores.history.write(SPOT, frame)
    answer = ordered(stores.as_of.records(SPOT, [key], at(15), at(30)))
    assert_frame_equal(answer, ordered(frame)[1:])


def test_keys_that_nobody_knows_have_nothing(stores: Stores) -> None:
    known, unknown = new_key(), new_key()
    write(stores, frame_of(known, [(0, "a.csv"), (10, "a.csv")]))
    assert found(stores, [unknown, known], 5, 20) == [(known, 0), (known, 10)]
    for keys in ([], [unknown]):
        nothing = stores.as_of.records(SPOT, keys, at(5), at(20))
        assert_frame_equal(nothing, pl.DataFrame(schema=SPOT.record_schema))


def test_a_key_is_not_another_one_that_begins_like_it(stores: Stores) -> None:
    key = new_key()
    for name, micros in ((key, 0), (f"{key}5", 1), (f"{key}#5", 2)):
        write(stores, frame_of(name, [(micros, "a.csv"), (100, "a.csv")]))
    assert found(stores, [key], 50, 60) == [(key, 0)]


def test_columns_of_every_type_come_back_from_both_stores(stores: Stores) -> None:
    frame = records(
        SOD,
        (
            {
                "record_key": "A:ZN",
                "event_time": at(micros),
                "file_key": "feeds/actant/sod/dt=2025-07-17/hh=11/actant.csv",
                "trading_date": START.date(),
                "expiry": START.date(),
                "quantity": -0.1,
                "price": 1 / 3,
                "is_american": american,
            }
            for micros, american in ((0, True), (10, False), (20, None))
        ),
    )
    stores.history.write(SOD, frame)
    stores.latest.write(SOD, frame)
    for first, rows in ((0, frame), (15, frame[1:]), (20, frame[2:])):
        answer = ordered(stores.as_of.records(SOD, ["A:ZN"], at(first), at(20)))
        assert_frame_equal(answer, rows)


MICROS = st.integers(0, 12)
VERSIONS = st.sets(st.tuples(MICROS, st.sampled_from(["a.csv", "b.csv"])), max_size=8)


@examples(max_examples=60)
@given(st.lists(VERSIONS, max_size=4), MICROS, MICROS, st.booleans())
def test_any_history_is_looked_into_as_a_plain_list_would_be(
    stores: Stores, chains: list[set[Version]], one: int, other: int, backwards: bool
) -> None:
    first, last = min(one, other), max(one, other)
    expected = [pl.DataFrame(schema=SPOT.record_schema)]
    keys = []
    for versions in chains:
        key = new_key()
        keys.append(key)
        frame = frame_of(key, sorted(versions, reverse=backwards))
        if versions:
            write(stores, frame)
        begun = [version for version in versions if version[0] <= first]
        wanted = {max(begun)} if begun else set()
        wanted |= {version for version in versions if first < version[0] <= last}
        expected.append(
            frame.filter(
                pl.struct("event_time", pl.col("file_key").str.split("/").list.last()).is_in(
                    [{"event_time": at(micros), "file_key": name} for micros, name in wanted]
                )
            )
        )
    answer = stores.as_of.records(SPOT, keys, at(first), at(last))
    assert_frame_equal(ordered(answer), ordered(pl.concat(expected)))


def test_a_store_that_is_away_is_a_passing_error(module_settings: Settings) -> None:
    key = new_key()
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    redis_away = module_settings.changed(
        {"redis_url": type(module_settings.stores.redis_url)(nowhere)}
    )
    with Stores(redis_away) as stores, pytest.raises(StoreUnavailableError):
        stores.as_of.records(SPOT, [key], at(0), at(1))


def test_the_past_without_its_table_is_refused(settings: Settings) -> None:
    key = new_key()
    with Stores(settings) as stores:  # nothing is provisioned: a Redis, and no table
        stores.latest.write(SPOT, frame_of(key, [(10, "a.csv")]))
        assert found(stores, [key], 10, 20) == [(key, 10)]
        with pytest.raises(StoreRejectedError, match="reading history"):
            stores.as_of.records(SPOT, [key], at(9), at(20))


def test_the_queries_of_the_past_go_side_by_side(module_settings: Settings) -> None:
    keys = [new_key(), new_key()]
    with Stores(module_settings) as stores:
        for key in keys:
            write(stores, frame_of(key, [(micros, "a.csv") for micros in (0, 10, 20)]))
    together = threading.Barrier(2 * len(keys))

    def wait_for_the_others(_: bytes, __: object) -> None:
        # Broken, and the query with it, unless all are on the way at once.
        together.wait(PATIENCE_SECONDS)

    with faulty_dynamo(module_settings) as (dynamo, behind), Stores(behind) as stores:
        dynamo.faults["Query"] = [wait_for_the_others] * together.parties
        answer = found(stores, keys, 5, 15)
    assert answer == sorted((key, micros) for key in keys for micros in (0, 10))
