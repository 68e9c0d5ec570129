"""A replaced set in a real Redis: swapped as a whole, followed by the keys of its records."""

import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import polars as pl
import pytest
import redis
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from trade_assets.errors import StoreUnavailableError
from trade_assets.settings import Settings
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.redis.scripts import Scripts
from trade_assets.tt.formats.orders_snapshot import ORDERS
from trade_assets.tt.formats.positions_snapshot import POSITIONS
from trade_assets_tests.stores.samples import raw_redis, redis_records

SCOPE = "tt:orders"
START = datetime(2026, 11, 21, 10, tzinfo=UTC)
PREFIX = "snapshots/tt/ext_prod_sim/orders"

Content = Mapping[str, float | None]
"""Price by order id."""


def slot(number: int) -> datetime:
    return START + timedelta(seconds=30 * number)


def file_key(number: int, environment: str = "ext_prod_sim") -> str:
    moment = slot(number)
    return f"snapshots/tt/{environment}/orders/{moment:dt=%Y-%m-%d/hh=%H/%Y%m%dT%H%M%SZ}.json"


def frame(number: int, content: Content, key: str | None = None) -> pl.DataFrame:
    rows = [
        {
            "source": "tt",
            "feed": "orders",
            "file_key": key or file_key(number),
            "record_key": order,
            "event_time": START - timedelta(hours=1),
            "row": row,
            "price": price,
        }
        for row, (order, price) in enumerate(content.items(), 1)
    ]
    return pl.DataFrame(rows, schema=dict(ORDERS.record_schema))


def replace(store: LatestStore, number: int, content: Content) -> Replaced:
    return store.replace(ORDERS, frame(number, content), file_key(number), slot(number))


def prices(records: Sequence[Mapping[str, str]]) -> dict[str, float | None]:
    return {
        record["record_key"]: float(record["price"]) if "price" in record else None
        for record in records
    }


def seen(store: LatestStore) -> tuple[str, dict[str, float | None]]:
    picture = store.read_set(ORDERS)
    assert picture is not None
    return picture.file_key, prices(picture.records)


def hashes(settings: Settings) -> dict[str, float | None]:
    """The contract's hashes, which must agree with the contract's set of keys."""
    found = redis_records(settings, ORDERS)
    keys = found.pop("keys")
    assert sorted(found) == [f"latest:{SCOPE}:{key}" for key in sorted(keys)]
    return prices(list(found.values()))


def announced(client: "redis.Redis") -> list[list[str]]:
    entries = cast("list[Any]", client.xrange(f"updates:{SCOPE}"))
    return [json.loads(fields["record_keys"]) for _, fields in entries]


@pytest.fixture
def store(settings: Settings) -> Iterator[LatestStore]:
    made = LatestStore(settings)
    yield made
    made.close()


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    with raw_redis(settings) as raw:
        yield raw


def test_what_is_gone_is_gone_everywhere(
    store: LatestStore, client: "redis.Redis", settings: Settings
) -> None:
    assert store.read_set(ORDERS) is None
    assert store.record_count(ORDERS) == 0
    assert replace(store, 0, {"a": 1.0, "b": 2.0}) == Replaced(2, ("a", "b"))
    assert store.record_count(ORDERS) == 2
    assert replace(store, 1, {"b": 2.0, "c": None}) == Replaced(2, ("c",), ("a",))
    assert seen(store) == (file_key(1), {"b": 2.0, "c": None})
    assert hashes(settings) == {"b": 2.0, "c": None}
    assert announced(client) == [["a", "b"], ["c", "a"]]
    assert replace(store, 2, {"b": 2.0, "c": None}) == Replaced(2)
    assert replace(store, 3, {}) == Replaced(0, (), ("b", "c"))
    assert seen(store) == (file_key(3), {})
    assert store.record_count(ORDERS) == 0
    assert hashes(settings) == {}
    assert len(announced(client)) == 3


class Interrupted(Scripts):
    """Scripts that another writer overtakes, between the listing of keys and their records."""

    overtaking: Callable[[], object] | None = None

    def run(self, script: str, calls: list[tuple[str, list[str]]]) -> list[int]:
        if self.overtaking is not None:
            overtake, self.overtaking = self.overtaking, None
            overtake()
        return super().run(script, calls)


def test_a_writer_that_is_overtaken_leaves_no_record_behind(
    store: LatestStore, client: "redis.Redis", settings: Settings
) -> None:
    scripts = Interrupted(client)
    scripts.overtaking = lambda: replace(store, 1, {"b": 2.0})
    slow = LatestStore(settings, scripts=scripts)
    replace(slow, 0, {"a": 1.0, "b": 1.0})
    slow.close()
    assert seen(store) == (file_key(1), {"b": 2.0})
    assert hashes(settings) == {"b": 2.0}


def test_readers_get_what_was_written(store: LatestStore) -> None:
    written = frame(0, {"b": 0.1 + 0.2, "a": None, "c": 1e-9})
    store.replace(ORDERS, written, file_key(0), slot(0))
    assert_frame_equal(store.whole_frame(ORDERS), written.sort("record_key"))
    assert_frame_equal(store.frame(ORDERS, ["b", "nobody", "a", "c"]), written)
    assert store.record_keys(ORDERS) == ["a", "b", "c"]
    assert store.read(ORDERS, ["nobody", "_file_key"]) == []
    assert store.read(ORDERS, []) == []
    picture = store.read_set(ORDERS)
    assert picture is not None
    assert picture.event_time == slot(0)


def test_an_older_picture_leaves_no_trace(
    store: LatestStore, client: "redis.Redis", settings: Settings
) -> None:
    replace(store, 5, {"a": 1.0})
    assert replace(store, 4, {"a": 9.0, "gone": 2.0}) == Replaced(2, is_newest=False)
    assert seen(store) == (file_key(5), {"a": 1.0})
    assert hashes(settings) == {"a": 1.0}
    assert len(announced(client)) == 1


def test_another_environments_picture_is_no_newer_one(store: LatestStore) -> None:
    replace(store, 5, {"a": 1.0})
    other = file_key(0, "ext_prod_live")
    store.replace(ORDERS, frame(0, {"b": 1.0}, other), other, slot(0))
    assert seen(store) == (other, {"b": 1.0})


def test_a_set_of_thousands_is_one_set(store: LatestStore, settings: Settings) -> None:
    many = {f"order-{number}": number / 64 for number in range(3000)}
    replace(store, 0, many)
    assert seen(store)[1] == many
    assert hashes(settings) == many


@pytest.mark.parametrize("key", [f"set:{SCOPE}", f"latest:{SCOPE}:a", f"keys:{SCOPE}"])
@pytest.mark.parametrize("damage", ["lost", "text", "fields"])
def test_the_same_picture_again_repairs_damage(
    store: LatestStore, client: "redis.Redis", settings: Settings, key: str, damage: str
) -> None:
    replace(store, 0, {"a": 1.0, "b": 2.0})
    if damage == "fields" and key.startswith("set"):
        client.hset(key, mapping={"a": "{", "_event_time": "zzz", "x": "{}"})
    elif damage == "fields" and key.startswith("latest"):
        client.hset(key, mapping={"price": "7", "file_key": "zzz"})
    elif damage == "fields" or (damage == "text" and key.startswith("keys")):
        client.sadd(key, "x")
        client.hset(f"latest:{SCOPE}:x", "record_key", "x")
    else:
        client.delete(key)
        if damage == "text":
            client.set(key, "text")
    replace(store, 0, {"a": 1.0, "b": 2.0})
    assert seen(store) == (file_key(0), {"a": 1.0, "b": 2.0})
    assert hashes(settings) == {"a": 1.0, "b": 2.0}
    assert store.read(ORDERS, ["a"])[0]["file_key"] == file_key(0)


def test_a_damaged_set_reads_as_none(store: LatestStore, client: "redis.Redis") -> None:
    for mapping in ({"a": "{"}, {"_event_time": "zzz"}):
        replace(store, 0, {"a": 1.0})
        client.hset(f"set:{SCOPE}", mapping=cast("Any", mapping))
        assert store.read_set(ORDERS) is None


class _Dies(LatestStore):
    """A store whose process dies right after the swap."""

    def _follow_set(self, *_: object) -> None:
        raise StoreUnavailableError("killed")


def test_leftovers_of_a_crash_are_removed_by_the_next_picture(
    store: LatestStore, settings: Settings
) -> None:
    replace(store, 0, {"a": 1.0, "b": 1.0})
    dying = _Dies(settings)
    with pytest.raises(StoreUnavailableError):
        replace(dying, 1, {"b": 2.0, "c": 2.0})
    dying.close()
    # Readers of ours have the new picture already; the hashes follow.
    assert seen(store)[1] == {"b": 2.0, "c": 2.0}
    assert hashes(settings) == {"a": 1.0, "b": 1.0}
    replace(store, 2, {"c": 2.0})
    assert hashes(settings) == {"c": 2.0}


class _Overtaken(LatestStore):
    """A store that stops between its swap and what follows, while another writer goes on."""

    def __init__(self, settings: Settings, other: LatestStore) -> None:
        super().__init__(settings)
        self._other: LatestStore | None = other

    def _follow_set(self, *arguments: Any) -> None:
        other, self._other = self._other, None
        if other is not None:
            replace(other, 2, {"b": 2.0, "a": 2.0})
        super()._follow_set(*arguments)


def test_who_is_overtaken_leaves_the_hashes_of_the_newer_picture(
    store: LatestStore, settings: Settings
) -> None:
    replace(store, 0, {"a": 0.0, "x": 0.0})
    overtaken = _Overtaken(settings, store)
    replace(overtaken, 1, {"b": 1.0, "gone": 1.0})
    overtaken.close()
    assert seen(store) == (file_key(2), {"a": 2.0, "b": 2.0})
    assert hashes(settings) == {"a": 2.0, "b": 2.0}


def test_a_position_that_only_the_slot_dates_has_not_changed(store: LatestStore) -> None:
    def position(number: int, quantity: float) -> pl.DataFrame:
        row = {
            "source": "tt",
            "feed": "positions",
            "file_key": file_key(number),
            "record_key": "1/2",
            "event_time": slot(number),
            "trading_date": slot(number).date() + timedelta(days=number),
            "row": number,
            "position_quantity": quantity,
        }
        return pl.DataFrame([row], schema=dict(POSITIONS.record_schema))

    for number, quantity, changed in ((0, 1.0, 1), (1, 1.0, 0), (2, 2.0, 1)):
        written = store.replace(
            POSITIONS, position(number, quantity), file_key(number), slot(number)
        )
        assert len(written.changed) == changed
    assert store.read(POSITIONS, ["1/2"])[0]["event_time"].startswith("2026-11-21T10:01:00")


CONTENTS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from([1.0, 2.0, None]), max_size=4)


@examples(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 5), CONTENTS), min_size=1, max_size=8))
def test_any_order_of_pictures_ends_in_the_newest(
    store: LatestStore, settings: Settings, deliveries: list[tuple[int, dict[str, float | None]]]
) -> None:
    with raw_redis(settings) as raw:
        raw.flushdb()
    newest: tuple[int, dict[str, float | None]] | None = None
    for number, content in deliveries:
        written = replace(store, number, content)
        assert written.is_newest == (newest is None or number >= newest[0])
        if newest is None or number >= newest[0]:
            before = {} if newest is None else newest[1]
            assert set(written.gone) == before.keys() - content.keys()
            assert set(written.changed) == {
                key for key, price in content.items() if before.get(key, "none") != price
            }
            newest = number, content
    assert newest is not None
    assert seen(store) == (file_key(newest[0]), newest[1])
    assert hashes(settings) == newest[1]


def test_readers_beside_writers_never_see_a_mixed_set(settings: Settings) -> None:
    """Every record of a picture carries its number; each picture has other orders."""
    stores = [LatestStore(settings) for _ in range(5)]
    numbers = list(range(60))
    stop = threading.Event()

    def content(number: int) -> dict[str, float | None]:
        dice = random.Random(number)
        return {f"o{key}": float(number) for key in dice.sample(range(40), dice.randint(1, 30))}

    def write(store: LatestStore, seed: int) -> None:
        for number in random.Random(seed).sample(numbers, len(numbers)):
            replace(store, number, content(number))

    def read(store: LatestStore) -> int:
        looks, last = 0, ""
        while not stop.is_set():
            picture = store.read_set(ORDERS)
            if picture is None:
                continue
            found = prices(picture.records)
            number = next(iter(found.values()))
            assert number is not None
            assert found == content(int(number))
            assert picture.file_key == file_key(int(number)) >= last
            last = picture.file_key
            some = store.read(ORDERS, [f"o{key}" for key in range(40)])
            assert len({record["price"] for record in some}) == 1
            assert len(some) == len(content(int(float(some[0]["price"]))))
            looks += 1
        return looks

    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(read, store) for store in stores[:2]]
        writers = [pool.submit(write, store, seed) for seed, store in enumerate(stores[2:])]
        for writer in writers:
            writer.result()
        stop.set()
        assert all(reader.result() for reader in readers)
    assert seen(stores[0]) == (file_key(59), content(59))
    assert hashes(settings) == content(59)
    for store in stores:
        store.close()


def test_it_works_on_a_cluster(redis_cluster_settings: Settings) -> None:
    store = LatestStore(redis_cluster_settings)
    with raw_redis(redis_cluster_settings) as raw:
        raw.delete(f"set:{SCOPE}")
    names = [uuid4().hex for _ in range(30)]
    replace(store, 0, dict.fromkeys(names, 1.0))
    written = replace(store, 1, dict.fromkeys(names[10:], 2.0))
    assert (len(written.changed), len(written.gone)) == (20, 10)
    assert seen(store)[1] == dict.fromkeys(names[10:], 2.0)
    with raw_redis(redis_cluster_settings) as raw:
        assert raw.smembers(f"keys:{SCOPE}") == set(names[10:])
        assert not raw.exists(f"latest:{SCOPE}:{names[0]}")
    store.close()
