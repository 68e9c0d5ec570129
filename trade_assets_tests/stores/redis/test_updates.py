"""The reader of updates that `latest --watch` follows, on a server and on a cluster."""

import threading
from collections.abc import Iterator

import pytest
import redis

from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.redis.client import connect
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.stores.redis.updates import UpdateReader
from trade_assets_tests.cli.helpers import AT_NINE, NINE, RISK_HEADER, records_of

pytestmark = pytest.mark.integration


@pytest.fixture(params=["RESP2", "RESP3", "cluster"])
def redis_settings(request: pytest.FixtureRequest) -> Settings:
    """Redis in each of the forms in which it answers."""
    if request.param == "cluster":
        cluster: Settings = request.getfixturevalue("redis_cluster_settings")
        return cluster
    settings: Settings = request.getfixturevalue("settings")
    url = f"{settings.stores.redis_url.get_secret_value()}?protocol={request.param[-1]}"
    return load_settings(redis_url=url, home=settings.platform.home)


@pytest.fixture
def reader(redis_settings: Settings) -> Iterator[UpdateReader]:
    """A reader of spot risk."""
    reader = UpdateReader(redis_settings, SPOT_RISK)
    yield reader
    reader.close()


@pytest.fixture
def latest(redis_settings: Settings) -> Iterator[LatestStore]:
    """The store that writes the updates."""
    client = connect(redis_settings)
    yield LatestStore(redis_settings, client)
    if isinstance(client, redis.RedisCluster):
        client.disconnect_connection_pools()
    client.close()


def store_key(latest: LatestStore, key: str) -> None:
    text = f"{RISK_HEADER}{key},1,2,,F,,,,\n"
    latest.write(SPOT_RISK, records_of(SPOT_RISK, AT_NINE, text))


def test_every_update_is_read_once_and_in_order(latest: LatestStore, reader: UpdateReader) -> None:
    store_key(latest, "BEFORE")
    reader.mark()
    assert reader.read(0.01) == []
    store_key(latest, "ONE")
    store_key(latest, "TWO")
    read = reader.read(5)
    assert [update.record_keys for update in read] == [("ONE",), ("TWO",)]
    assert {update.event_time for update in read} == {NINE}
    assert reader.read(0.01) == []


def test_reading_waits_for_the_first_update(latest: LatestStore, reader: UpdateReader) -> None:
    reader.mark()
    later = threading.Timer(0.1, store_key, (latest, "LATER"))
    later.start()
    read = reader.read(20)
    later.join()
    assert [update.record_keys for update in read] == [("LATER",)]
