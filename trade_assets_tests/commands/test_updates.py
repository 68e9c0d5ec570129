"""The reader of updates that `latest --watch` follows, on a server and on a cluster."""

import threading
from collections.abc import Iterator

import pytest

from trade_assets.feeds.spot_risk import SPOT_RISK
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.bundle import Stores
from trade_assets.stores.updates import UpdateReader
from trade_assets_tests.commands.helpers import NINE, RISK_HEADER, store

pytestmark = pytest.mark.integration


@pytest.fixture(params=["server", "RESP2", "RESP3", "cluster"])
def redis_settings(request: pytest.FixtureRequest) -> Settings:
    """Redis in each of the forms in which it answers."""
    if request.param == "cluster":
        cluster: Settings = request.getfixturevalue("redis_cluster_settings")
        return cluster
    settings: Settings = request.getfixturevalue("settings")
    if request.param == "server":
        return settings
    url = f"{settings.redis_url.get_secret_value()}?protocol={request.param[-1]}"
    return load_settings(redis_url=url, home=settings.home)


@pytest.fixture
def reader(redis_settings: Settings) -> Iterator[UpdateReader]:
    """A reader of spot risk."""
    reader = UpdateReader(redis_settings, SPOT_RISK)
    yield reader
    reader.close()


def store_key(stores: Stores, key: str) -> None:
    text = f"{RISK_HEADER}{key},1,2,,F,,,,\n"
    store(stores, SPOT_RISK, "bav_analysis_20250717_090000.csv", text, history=False)


def test_every_update_is_read_once_and_in_order(
    redis_settings: Settings, reader: UpdateReader
) -> None:
    with Stores(redis_settings) as stores:
        store_key(stores, "BEFORE")
        reader.mark()
        assert reader.read(0.01) == []
        store_key(stores, "ONE")
        store_key(stores, "TWO")
        read = reader.read(5)
        assert [update.record_keys for update in read] == [("ONE",), ("TWO",)]
        assert {update.event_time for update in read} == {NINE}
        assert reader.read(0.01) == []


def test_reading_waits_for_the_first_update(redis_settings: Settings, reader: UpdateReader) -> None:
    reader.mark()
    with Stores(redis_settings) as stores:
        later = threading.Timer(0.1, store_key, (stores, "LATER"))
        later.start()
        read = reader.read(20)
        later.join()
    assert [update.record_keys for update in read] == [("LATER",)]
