"""Rolling windows: never more than the amount, whoever takes, whatever the clock says."""

import pytest
import redis
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.remote.protection.windows import RollingWindow, Usage
from trade_assets_tests.remote.protection.helpers import START, FakeTime, limits, most_in_any

pytestmark = pytest.mark.integration
on_redis = examples(max_examples=40)


def window(
    client: "redis.Redis", time: FakeTime, amount: int, ticks: int = 12, tick: float = 0.1
) -> RollingWindow:
    return RollingWindow(client, (limits().name, "second"), amount, ticks, time.clock, tick)


def rounded(taken_from: RollingWindow) -> Usage:
    usage = taken_from.usage()
    return Usage(usage.used, round(usage.frees_at, 3))


@on_redis
@given(
    amount=st.integers(1, 6),
    pauses=st.lists(st.floats(0, 2.5), min_size=1, max_size=40),
)
def test_no_window_holds_more_than_the_amount(
    client: "redis.Redis", amount: int, pauses: list[float]
) -> None:
    time = FakeTime()
    taken_from = window(client, time, amount)
    times = []
    for pause in pauses:
        time.passed += pause
        if taken_from.take():
            times.append(time.clock())

    assert most_in_any(1.2, times) <= amount


@on_redis
@given(
    amount=st.integers(1, 4),
    events=st.lists(st.tuples(st.floats(0, 1.0), st.floats(0, 0.1)), min_size=1, max_size=30),
)
def test_one_who_looked_at_the_clock_earlier_gets_nothing_extra(
    client: "redis.Redis", amount: int, events: list[tuple[float, float]]
) -> None:
    """Processes whose look at the clock is up to a tenth of a second old when it is counted."""
    now, time, times = 0.0, FakeTime(), []
    taken_from = window(client, time, amount)
    for pause, age in events:
        now += pause
        time.passed = now - age
        if taken_from.take():
            times.append(now)

    assert most_in_any(1.1 - 1e-6, times) <= amount


def test_room_comes_back_when_the_oldest_leaves(client: "redis.Redis", fake_time: FakeTime) -> None:
    taken_from = window(client, fake_time, 2)
    assert rounded(taken_from) == Usage(0, START)
    assert taken_from.take()
    fake_time.passed = 0.5
    assert taken_from.take()
    assert not taken_from.take()
    assert rounded(taken_from) == Usage(2, START + 1.2)

    fake_time.passed = 1.21
    assert taken_from.usage().used == 1
    assert taken_from.take()
    assert not taken_from.take()


def test_another_amount_forgets_nothing(client: "redis.Redis", fake_time: FakeTime) -> None:
    name = (limits().name, "day")
    before = RollingWindow(client, name, 4, 86_400, fake_time.clock)
    assert [before.take() for _ in range(5)] == [True] * 4 + [False]

    assert not RollingWindow(client, name, 3, 86_400, fake_time.clock).take()
    assert RollingWindow(client, name, 5, 86_400, fake_time.clock).take()


def test_a_clock_that_goes_back_lets_nobody_through_twice(
    client: "redis.Redis", fake_time: FakeTime
) -> None:
    taken_from = window(client, fake_time, 3, ticks=60, tick=1.0)
    fake_time.passed = 3600.0
    assert [taken_from.take() for _ in range(4)] == [True, True, True, False]
    fake_time.passed = 0.0
    assert not taken_from.take()


def test_its_keys_end_by_themselves_but_not_before_its_window(
    client: "redis.Redis", fake_time: FakeTime
) -> None:
    name = limits().name
    for part, ticks, tick in (("second", 12, 0.1), ("day", 86_409, 1.0)):
        RollingWindow(client, (name, part), 3, ticks, fake_time.clock, tick).take()
    lives = [client.ttl(f"protection:{name}:{part}") for part in ("second", "day")]
    assert [2 < lives[0] <= 12, 86_400 < lives[1] <= 86_409] == [True, True]


def test_two_names_do_not_share(client: "redis.Redis", fake_time: FakeTime) -> None:
    pair = [window(client, fake_time, 1) for _ in range(2)]
    assert [one.take() for one in pair] == [True, True]


def test_most_in_any_counts() -> None:
    times = [5.0, 0.0, 3.0, 4.0, 4.0]
    assert [most_in_any(seconds, times) for seconds in (1.0, 1.5, 5.0, 6.0)] == [2, 3, 4, 5]
    assert most_in_any(1.0, []) == 0
