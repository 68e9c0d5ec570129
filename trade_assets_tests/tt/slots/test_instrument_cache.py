"""Cached answers about instruments, in a real Redis."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from trade_assets.settings import Settings, TtEnvironment
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.slots.instrument_cache import (
    FRESH_FOR,
    KEPT_FOR,
    REFUSED_FOR,
    CachedInstrument,
    InstrumentCache,
)
from trade_assets_tests.stores.samples import raw_redis

RECEIVED = datetime(2026, 11, 21, 10, 0, 30, 123456, tzinfo=UTC)
BODY = b'{"instrument": [{"id": "8092262517946017060",  "alias": "ZN \\u00e9 \xc3\xa9"}]}'
ITEM = CachedInstrument("ttpds/instrument/8092262517946017060", RECEIVED, BODY)
KEY = "cache:tt:ext_prod_sim:instrument"


@pytest.fixture
def cache(settings: Settings) -> Iterator[InstrumentCache]:
    client = connect(settings)
    yield InstrumentCache(settings, client)
    disconnect(client)


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    with raw_redis(settings) as raw:
        yield raw


def test_exact_bytes_come_back(cache: InstrumentCache) -> None:
    cache.put({"1": ITEM})
    assert cache.get(["2", "1", "1"]) == {"1": ITEM}
    assert cache.get([]) == {}
    cache.put({})


def test_it_is_fresh_for_a_day_and_kept_for_another(
    cache: InstrumentCache, client: "redis.Redis"
) -> None:
    cache.put({"1": ITEM})
    assert 0 < int(str(client.ttl(f"{KEY}:1"))) <= KEPT_FOR.total_seconds()
    assert ITEM.is_fresh(RECEIVED + FRESH_FOR - timedelta(microseconds=1))
    assert not ITEM.is_fresh(RECEIVED + FRESH_FOR)


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"path": "p"}', '{"received_at": 3}'])
def test_what_is_damaged_is_not_there(
    cache: InstrumentCache, client: "redis.Redis", text: str
) -> None:
    client.set(f"{KEY}:1", text)
    assert cache.get(["1"]) == {}


def test_refusals_are_remembered_for_a_while(cache: InstrumentCache, client: "redis.Redis") -> None:
    cache.put_refused({"1": "no such instrument"})
    assert cache.refused(["1", "2"]) == {"1": "no such instrument"}
    assert cache.get(["1"]) == {}
    assert 0 < int(str(client.ttl("cache:tt:ext_prod_sim:refused:1"))) <= REFUSED_FOR.seconds


def test_environments_do_not_share(cache: InstrumentCache, settings: Settings) -> None:
    cache.put({"1": ITEM})
    live = settings.changed({"tt_environment": TtEnvironment.LIVE})
    other = connect(live)
    assert InstrumentCache(live, other).get(["1"]) == {}
    disconnect(other)


def test_it_works_on_a_cluster(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    cache = InstrumentCache(redis_cluster_settings, client)
    items = {str(number): ITEM for number in range(40)}
    cache.put(items)
    cache.put_refused({"x": "no"})
    assert cache.get(items) == items
    assert cache.refused(["x"]) == {"x": "no"}
    disconnect(client)
