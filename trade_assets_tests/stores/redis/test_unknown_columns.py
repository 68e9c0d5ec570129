"""Unknown columns in a real Redis: each is new once, whoever sees it first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

import pytest
import redis

from trade_assets.datasets.dataset import Feed
from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.stores.redis.unknown_columns import UnknownColumns
from trade_assets_tests.stores.samples import FILLS, SPOT
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

WORKERS = 6


def new_feed() -> Feed:
    """A feed that nobody has written to."""
    return replace(SPOT, name=uuid4().hex)


@pytest.fixture(params=["server", "cluster"])
def client(request: pytest.FixtureRequest) -> Iterator["redis.Redis"]:
    is_server = request.param == "server"
    name = "settings" if is_server else "redis_cluster_settings"
    made = connect(request.getfixturevalue(name))
    yield made
    disconnect(made)


@pytest.fixture
def columns(client: "redis.Redis") -> UnknownColumns:
    return UnknownColumns(client)


def test_a_column_is_new_once(columns: UnknownColumns) -> None:
    feed = new_feed()
    assert columns.note(feed, ["GAMMA", "DELTA"]) == ["GAMMA", "DELTA"]
    assert columns.note(feed, ["DELTA", "VEGA", "GAMMA"]) == ["VEGA"]
    assert columns.note(feed, ["DELTA"]) == []
    assert columns.note(feed, []) == []
    assert columns.names(feed) == ["DELTA", "GAMMA", "VEGA"]


def test_feeds_are_apart_and_names_are_any_text(columns: UnknownColumns) -> None:
    feed, other = new_feed(), new_feed()
    names = ["a b", "DELTA", "delta", "Δ", "x" * 500]
    assert columns.note(feed, names) == names
    assert columns.names(feed) == sorted(names)
    assert columns.names(other) == []
    assert columns.note(other, ["DELTA"]) == ["DELTA"]


def test_of_all_who_see_a_column_at_once_one_is_told_that_it_is_new(
    columns: UnknownColumns,
) -> None:
    feed, barrier = new_feed(), Barrier(WORKERS)
    names = [f"C{number:02}" for number in range(30)]

    def see(offset: int) -> list[str]:
        barrier.wait(PATIENCE_SECONDS)
        return columns.note(feed, names[offset:] + names[:offset])

    with ThreadPoolExecutor(WORKERS) as pool:
        told = [name for new in pool.map(see, range(WORKERS)) for name in new]
    assert sorted(told) == names
    assert columns.names(feed) == names


def test_a_redis_that_is_away_is_a_passing_error(settings: Settings) -> None:
    url = f"redis://:hunter2@127.0.0.1:{free_port()}/0"
    client = connect(settings.changed({"redis_url": type(settings.stores.redis_url)(url)}))
    away = UnknownColumns(client)
    with pytest.raises(StoreUnavailableError) as noting:
        away.note(FILLS, ["DELTA"])
    with pytest.raises(StoreUnavailableError) as reading:
        away.names(FILLS)
    disconnect(client)
    assert "hunter2" not in f"{noting.value} {reading.value}"


def test_a_reply_of_refusal_is_permanent(columns: UnknownColumns, client: "redis.Redis") -> None:
    feed = new_feed()
    client.set(f"columns:{feed.source}:{feed.name}", "not a set")
    with pytest.raises(StoreRejectedError, match="WRONGTYPE"):
        columns.note(feed, ["DELTA"])
    with pytest.raises(StoreRejectedError, match="WRONGTYPE"):
        columns.names(feed)
