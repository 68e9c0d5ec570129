"""The newest records in a real Redis: the guard, repair, announcements, and a cluster."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count, permutations
from typing import Any, cast
from uuid import uuid4

import polars as pl
import pytest
import redis
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from redis.client import Pipeline

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.feeds.stream.heartbeats import Heartbeats, StreamBeat
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.serialise import iso_text
from trade_assets_tests.stores.samples import SPOT, raw_redis, records

SCOPE = "actant:spot_risk"
START = datetime(2025, 7, 17, 19, 33, tzinfo=UTC)
NUMBERS = ("bid_price", "ask_price", "theoretical_price")
unique = count()

Version = tuple[int, int, tuple[float | None, ...]]
"""Seconds of the event time, number of the file, and the values of `NUMBERS`."""


def file_key(number: int) -> str:
    return f"feeds/actant/spot_risk/dt=2025-07-17/hh=19/file_{number}.csv"


def row(record_key: str, version: Version) -> dict[str, Any]:
    seconds, number, values = version
    return {
        "record_key": record_key,
        "event_time": START + timedelta(seconds=seconds),
        "file_key": file_key(number),
        **dict(zip(NUMBERS, values, strict=True)),
    }


def frame(record_key: str, *versions: Version) -> pl.DataFrame:
    return records(SPOT, [row(record_key, version) for version in versions])


def shown(version: Version) -> tuple[str, str, dict[str, float]]:
    """A version as Redis should show it: event time, file key, and the numbers that are there."""
    seconds, number, values = version
    present = {name: v for name, v in zip(NUMBERS, values, strict=True) if v is not None}
    return iso_text(START + timedelta(seconds=seconds)), file_key(number), present


def stored(client: "redis.Redis", record_key: str) -> tuple[str, str, dict[str, float]]:
    fields = cast("dict[str, str]", client.hgetall(f"latest:{SCOPE}:{record_key}"))
    assert fields.pop("record_key") == record_key
    assert (fields.pop("source"), fields.pop("feed")) == ("actant", "spot_risk")
    assert int(fields.pop("row")) >= 2
    event_time, key = fields.pop("event_time"), fields.pop("file_key")
    return event_time, key, {name: float(text) for name, text in fields.items()}


@pytest.fixture
def store(settings: Settings) -> Iterator[LatestStore]:
    made = LatestStore(settings)
    yield made
    made.close()


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    with raw_redis(settings) as raw:
        yield raw


VERSIONS = st.tuples(
    st.integers(0, 2),
    st.integers(0, 2),
    st.tuples(*[st.none() | st.sampled_from([110.5156250, 0.007, -1628.67, 1e-9])] * 3),
)
DELIVERIES = st.lists(
    st.lists(VERSIONS, min_size=1, max_size=4), min_size=1, max_size=6
)  # fmt: skip


@examples(max_examples=60)
@given(DELIVERIES)
def test_any_interleaving_of_deliveries_ends_in_the_newest(
    store: LatestStore, client: "redis.Redis", deliveries: list[list[Version]]
) -> None:
    key = f"K{next(unique)}"
    for batch in deliveries:
        store.write(SPOT, frame(key, *batch))
    flat = [version for batch in deliveries for version in batch]
    # Of one (event time, file) the content that was delivered last is the current one.
    newest = max(enumerate(flat), key=lambda pair: (pair[1][:2], pair[0]))[1]
    assert stored(client, key) == shown(newest)
    assert client.sismember(f"keys:{SCOPE}", key)

    store.write(SPOT, frame(key, newest))  # as a file of its own: another row number
    length = client.xlen(f"updates:{SCOPE}")
    assert store.write(SPOT, frame(key, newest)).changed == 0
    assert client.xlen(f"updates:{SCOPE}") == length


def test_every_order_of_distinct_versions_ends_the_same(
    store: LatestStore, client: "redis.Redis"
) -> None:
    versions: list[Version] = [
        (0, 2, (1.0, None, 3.0)), (1, 0, (2.0, 2.0, None)), (1, 1, (None, 4.0, 5.0)),
        (0, 0, (6.0, None, None)),
    ]  # fmt: skip
    for number, order in enumerate(permutations(versions)):
        for version in order:
            store.write(SPOT, frame(f"P{number}", version))
        assert stored(client, f"P{number}") == shown(versions[2])


NEWEST: Version = (5, 1, (110.5, None, 110.515625))
Damage = Callable[["redis.Redis", str], object]


def _as_text(client: "redis.Redis", key: str) -> None:
    client.delete(key)
    client.set(key, "not a hash")


def _as_list(client: "redis.Redis", key: str) -> None:
    client.delete(key)
    client.rpush(key, "not", "a", "hash")


DAMAGES: dict[str, Damage] = {
    "field changed": lambda client, key: client.hset(key, "bid_price", "1"),
    "field deleted": lambda client, key: client.hdel(key, "bid_price"),
    "field added": lambda client, key: client.hset(key, "ask_price", "1"),
    "field swapped": lambda client, key: (
        client.hdel(key, "bid_price"), client.hset(key, "ask_price", "1")
    ),
    "key deleted": lambda client, key: client.delete(key),
    "text": _as_text,
    "list": _as_list,
    "event time garbage": lambda client, key: client.hset(key, "event_time", "zzz"),
    "event time empty": lambda client, key: client.hset(key, "event_time", ""),
    "event time deleted": lambda client, key: client.hdel(key, "event_time"),
    "file key garbage": lambda client, key: client.hset(key, "file_key", "zzz"),
    "file key deleted": lambda client, key: client.hdel(key, "file_key"),
    "key not listed": lambda client, _: client.delete(f"keys:{SCOPE}"),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_the_same_delivery_again_repairs_damage(
    store: LatestStore, client: "redis.Redis", damage: Damage
) -> None:
    store.write(SPOT, frame("D", NEWEST))
    damage(client, f"latest:{SCOPE}:D")
    store.write(SPOT, frame("D", NEWEST))
    assert stored(client, "D") == shown(NEWEST)
    assert store.record_keys(SPOT) == ["D"]
    assert store.record_count(SPOT) == 1


def test_an_older_delivery_leaves_no_trace_and_columns_that_vanish_are_gone(
    store: LatestStore, client: "redis.Redis"
) -> None:
    store.write(SPOT, frame("V", (1, 0, (1.0, 2.0, 3.0))))
    assert store.write(SPOT, frame("V", (0, 9, (9.0, 9.0, 9.0)))).changed == 0
    assert store.write(SPOT, frame("V", (2, 0, (None, None, 4.0)))).changed == 1
    assert stored(client, "V") == shown((2, 0, (None, None, 4.0)))


def test_changes_are_announced_once_and_replays_are_not(
    store: LatestStore, client: "redis.Redis"
) -> None:
    both = records(SPOT, [row("A", NEWEST), row("B", NEWEST)])
    store.write(SPOT, both)
    store.write(SPOT, both)
    store.write(SPOT, records(SPOT, [row("A", NEWEST), row("B", (6, 1, (1.0, 1.0, 1.0)))]))
    entries = [fields for _, fields in cast("list[Any]", client.xrange(f"updates:{SCOPE}"))]
    assert [json.loads(entry["record_keys"]) for entry in entries] == [["A", "B"], ["B"]]
    assert [entry["count"] for entry in entries] == ["2", "1"]
    assert entries[1]["event_time"] == iso_text(START + timedelta(seconds=6))


def test_the_stream_of_updates_is_trimmed(settings: Settings, client: "redis.Redis") -> None:
    store = LatestStore(settings.changed({"updates_max_length": 10}))
    for second in range(400):
        store.write(SPOT, frame("T", (second, 0, (1.0, 1.0, 1.0))))
    store.close()
    # Redis trims whole nodes of 100 entries: that is what "approximate" allows.
    assert 10 <= client.xlen(f"updates:{SCOPE}") <= 110


def test_records_read_back_typed(store: LatestStore) -> None:
    written = records(SPOT, [row("A", NEWEST), row("B", (6, 1, (0.1 + 0.2, 1e-9, None)))])
    store.write(SPOT, written)
    assert_frame_equal(store.frame(SPOT, ["A", "nobody", "B"]), written)


@pytest.mark.parametrize("garbage", [None, "zzz", ""])
def test_status_never_goes_back(
    store: LatestStore, client: "redis.Redis", garbage: str | None
) -> None:
    later, earlier = START + timedelta(seconds=9), START
    store.write_status(SPOT, "new", later, later, 0.25)
    if garbage is not None:
        client.hset(f"status:{SCOPE}", "last_event_time", garbage)
        store.write_status(SPOT, "new", later, later, 0.25)
    store.write_status(SPOT, "old", earlier, later, 5.0)
    store.write_status(SPOT, "rerun", later, later + timedelta(hours=1), 5.0, repair=True)
    store.write_status(SPOT, "rerun", earlier, later + timedelta(hours=1), 5.0, repair=True)
    assert store.status(SPOT) == {
        "last_file": "new",
        "last_event_time": iso_text(later),
        "last_ingest_time": iso_text(later),
        "lag_seconds": "0.250000",
    }
    store.write_status(SPOT, "again", later, later, 0.5)
    assert store.status(SPOT)["last_file"] == "again"


def test_a_file_that_says_something_older_came_all_the_same(store: LatestStore) -> None:
    later = START + timedelta(seconds=9)
    store.write_status(SPOT, "new", later, later, 0.25)
    for seconds in (60, 30):
        store.write_status(SPOT, "old", START, later + timedelta(seconds=seconds), float(seconds))
    assert store.status(SPOT) == {
        "last_file": "new",
        "last_event_time": iso_text(later),
        "last_ingest_time": iso_text(later + timedelta(seconds=60)),
        "lag_seconds": "60.000000",
    }


def test_a_server_that_forgot_the_scripts_gets_them_again(
    store: LatestStore, client: "redis.Redis"
) -> None:
    store.write(SPOT, frame("S", (1, 0, (1.0, 1.0, 1.0))))
    client.script_flush()
    assert store.write(SPOT, frame("S", NEWEST)).changed == 1
    assert stored(client, "S") == shown(NEWEST)


class _ForgetfulPipeline(Pipeline):
    """A pipeline in whose middle the server forgets its scripts, once."""

    forgets = True

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        if not type(self).forgets:
            return super().execute(raise_on_error)
        type(self).forgets = False
        middle = len(self.command_stack) // 2
        self.command_stack.insert(middle, (("SCRIPT", "FLUSH"), {}))
        answers = super().execute(raise_on_error)
        del answers[middle]
        return answers


class _ForgetfulRedis(redis.Redis):
    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Pipeline:
        return _ForgetfulPipeline(
            self.connection_pool, self.response_callbacks, transaction, shard_hint
        )


def test_what_was_written_before_the_scripts_went_missing_is_announced(
    settings: Settings, client: "redis.Redis"
) -> None:
    url = settings.stores.redis_url.get_secret_value()
    forgetful = _ForgetfulRedis.from_url(url, decode_responses=True)
    keys = [f"F{number}" for number in range(10)]
    store = LatestStore(settings, forgetful)
    written = store.write(SPOT, records(SPOT, [row(key, NEWEST) for key in keys]))
    store.close()
    assert written.changed == 10
    ((_, entry),) = cast("list[Any]", client.xrange(f"updates:{SCOPE}"))
    assert json.loads(entry["record_keys"]) == keys


def test_writers_beside_each_other_end_in_the_newest(
    store: LatestStore, client: "redis.Redis"
) -> None:
    keys = [f"C{number}" for number in range(10)]
    deliveries = [
        [row(key, (second, number, (float(second), float(number), None))) for key in keys]
        for second in range(6)
        for number in range(4)
    ]

    def deliver(seed: int) -> None:
        order = random.Random(seed).sample(deliveries, len(deliveries))
        for number, rows in enumerate(order):
            if seed == 0 and number == len(order) // 2:
                client.script_flush()
            store.write(SPOT, records(SPOT, rows))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(4)))
    assert [stored(client, key) for key in keys] == [shown((5, 3, (5.0, 3.0, None)))] * len(keys)


def test_a_cluster_sees_no_command_over_two_slots(redis_cluster_settings: Settings) -> None:
    store = LatestStore(redis_cluster_settings)
    names = [f"{uuid4().hex}" for _ in range(50)]
    rows = [row(name, NEWEST) for name in names]
    assert store.write(SPOT, records(SPOT, rows)).changed == 50
    with raw_redis(redis_cluster_settings) as raw:
        raw.script_flush()
    rows[0] |= {"ask_price": 7.0}
    assert store.write(SPOT, records(SPOT, rows)).changed == 1
    assert_frame_equal(store.frame(SPOT, names), records(SPOT, rows))
    assert set(names) <= set(store.record_keys(SPOT))
    store.write_status(SPOT, "f", START + timedelta(days=1), START, 0.1)
    assert store.status(SPOT)["last_file"] == "f"
    store.close()


def test_heartbeats_work_on_a_cluster_and_expire(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    beats = Heartbeats(client, stale_seconds=30)
    beats.beat(StreamBeat("run-1", 10.0, 3))
    beats.beat(StreamBeat("run-2", 20.0, 0, consuming=False))
    assert beats.alive() == [
        StreamBeat("run-1", 10.0, 3), StreamBeat("run-2", 20.0, 0, consuming=False),
    ]  # fmt: skip
    client.delete("stream:run:run-1")  # what expiry does
    assert [beat.run_id for beat in beats.alive()] == ["run-2"]
    assert client.smembers("stream:runs") == {"run-2"}
    client.close()


@pytest.mark.parametrize("cluster", [False, True])
def test_a_redis_that_is_away_is_a_passing_error_without_the_password(
    settings: Settings, cluster: bool
) -> None:
    away = settings.changed(
        {
            "redis_url": type(settings.stores.redis_url)(
                f"redis://:hunter2@127.0.0.1:{free_port()}/0"
            ),
            "redis_cluster": cluster,
        }
    )
    with pytest.raises(StoreUnavailableError) as caught:
        LatestStore(away).write(SPOT, frame("X", NEWEST))
    assert "hunter2" not in str(caught.value)


def test_a_reply_of_refusal_is_permanent(store: LatestStore, client: "redis.Redis") -> None:
    client.set(f"keys:{SCOPE}", "not a set")
    with pytest.raises(StoreRejectedError, match="WRONGTYPE"):
        store.write(SPOT, frame("X", NEWEST))
