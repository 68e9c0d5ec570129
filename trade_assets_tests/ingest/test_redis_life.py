"""The marks that tell a Redis which lost something from one that has all."""

from itertools import pairwise

import pytest

from trade_assets.ingest.redis_life import MARKS, LifeState, RedisLife
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.stores.samples import items, raw_redis
from trade_assets_tests.support.stores import Stores


@pytest.fixture
def life(provisioned_stores: Stores) -> RedisLife:
    connections = provisioned_stores.connections
    return RedisLife(connections.settings, connections.redis, connections.dynamodb)


def delete(settings: Settings, *numbers: int) -> None:
    with raw_redis(settings) as client:
        client.delete(*(f"life:{number}" for number in numbers))


def test_a_new_redis_is_marked_once_and_kept(life: RedisLife) -> None:
    assert life.look() is LifeState.NEW
    life.begin()
    assert life.look() is LifeState.KEPT
    name = life.name()
    life.begin()
    assert (life.look(), life.name()) == (LifeState.KEPT, name)


@pytest.mark.parametrize("lost", [[0], [MARKS - 1], range(MARKS)], ids=["one", "last", "all"])
def test_every_lost_mark_is_a_loss_until_all_is_rebuilt(
    life: RedisLife, provisioned: Settings, lost: list[int]
) -> None:
    life.begin()
    delete(provisioned, *lost)
    assert life.look() is LifeState.LOST
    token = life.begin_rebuilding()
    assert life.look() is LifeState.REBUILDING
    assert life.finish_rebuilding(token)
    assert life.look() is LifeState.KEPT


def test_what_is_lost_again_meanwhile_is_not_taken_for_rebuilt(
    life: RedisLife, provisioned: Settings
) -> None:
    life.begin()
    token = life.begin_rebuilding()
    delete(provisioned, 5)
    assert not life.finish_rebuilding(token)
    assert life.look() is LifeState.LOST


def test_a_table_that_was_made_anew_takes_the_name_that_redis_has(
    life: RedisLife, provisioned: Settings
) -> None:
    life.begin()
    name, table = life.name(), provisioned.ledger_table
    for item in items(provisioned, table):
        key = {"pk": item["pk"], "sk": item["sk"]}
        dynamodb_client(provisioned).delete_item(TableName=table, Key=key)
    assert life.look() is LifeState.NEW
    life.begin()
    assert (life.look(), life.name()) == (LifeState.KEPT, name)


def test_marks_lie_in_every_shard_of_a_cluster(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    slots = sorted(client.keyslot(f"life:{number}") for number in range(MARKS))  # type: ignore[attr-defined]
    disconnect(client)
    gaps = [after - before for before, after in pairwise(slots)]
    assert max([slots[0], *gaps, 16384 - slots[-1]]) < 16384 / 8
