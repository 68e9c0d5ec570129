"""The day's budget, kept beside the ledger: what Redis forgets is not forgotten."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from trade_assets.errors import StoreUnavailableError
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.tt.key_tiers import api_limits
from trade_assets.tt.slots.spent_requests import SpentRequests
from trade_assets_tests.stores.samples import items, raw_redis
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.conftest import FIRST, Desk, forget_redis, slot_of

HOUR = timedelta(hours=1)


@pytest.fixture
def spent(desk: Desk) -> SpentRequests:
    forget_redis(desk.settings)
    return desk.stores.spent_requests


@pytest.fixture
def away_dynamodb(desk: Desk) -> Callable[[], Stores]:
    """Stores of which DynamoDB is away."""
    endpoint = f"http://{LOOPBACK}:{free_port()}"
    return lambda: Stores(desk.settings.changed({"aws_endpoint_url_dynamodb": endpoint}))


def used(desk: Desk, now: datetime) -> int:
    """What the protection counts of the last 24 hours, by a clock of that time."""
    client = desk.stores.connections.redis
    protection = Protection(api_limits(desk.settings.tt), client, clock=now.timestamp)
    return protection.state().budget_used or 0


def test_what_was_sent_in_the_last_day_is_put_back_hour_by_hour(
    desk: Desk, spent: SpentRequests
) -> None:
    for hours, requests in ((30, 1000), (23, 5), (2, 7), (0, 11), (0, 3)):
        spent.add(requests, FIRST - hours * HOUR)
    assert used(desk, FIRST) == 0
    assert spent.put_back(FIRST) == 26
    assert used(desk, FIRST) == 26
    assert spent.put_back(FIRST) == 0
    later = [used(desk, FIRST + hours * HOUR) for hours in (1, 3, 23, 24, 26)]
    assert later == [26, 21, 14, 14, 0]


def test_a_count_that_redis_has_is_left_alone(desk: Desk, spent: SpentRequests) -> None:
    spent.add(5, FIRST)
    assert spent.put_back(FIRST) == 5
    spent.add(5, FIRST)
    assert spent.put_back(FIRST) == 0
    assert used(desk, FIRST) == 5


def test_more_than_the_budget_is_all_of_it(desk: Desk, spent: SpentRequests) -> None:
    limit = api_limits(desk.settings.tt).per_day or 0
    spent.add(limit, FIRST - HOUR)
    spent.add(10, FIRST)
    assert spent.put_back(FIRST) == limit + 10
    assert used(desk, FIRST) == limit


def test_hours_never_add_up(desk: Desk, spent: SpentRequests, capture_settings: Settings) -> None:
    for hours in range(100):
        spent.add(2, FIRST + hours * HOUR)
        spent.add(1, FIRST + hours * HOUR)
    lines = items(capture_settings, capture_settings.ledger_table)
    kept = [line for line in lines if line["pk"]["S"].startswith("requests#")]
    assert len(kept) == 48
    assert {line["requests"]["N"] for line in kept} == {"3"}


def test_a_slot_counts_what_it_sent_and_puts_back_before_it_asks(desk: Desk) -> None:
    first = desk.take(0)
    assert first.calls["attempts"] > 0
    assert used(desk, slot_of(0)) == 0  # a model of the API counts nothing in Redis
    seen: list[int] = []
    desk.api.before_answer = lambda _: seen.append(used(desk, slot_of(1)))
    assert desk.take(1).whole
    assert seen[0] == first.calls["attempts"]


def test_where_nobody_knows_what_is_left_nothing_is_asked(
    desk: Desk, away_dynamodb: Callable[[], Stores]
) -> None:
    forget_redis(desk.settings)
    asked = len(desk.api.asked)
    desk.clock.at(slot_of(1))
    with away_dynamodb() as stores:
        result = desk.taker(stores).take(slot_of(1), "run")
    assert len(desk.api.asked) == asked
    assert "DynamoDB" in result.reason
    with raw_redis(desk.settings) as client:
        assert not client.exists("protection:tt:ext_prod_sim:day")


def test_a_store_that_is_away_is_an_error(away_dynamodb: Callable[[], Stores]) -> None:
    with away_dynamodb() as stores, pytest.raises(StoreUnavailableError):
        stores.spent_requests.put_back(FIRST)
