"""Calls that the layer refuses: a spent budget, an open breaker; and the probes that close it."""

import threading

import pytest
import redis

from trade_assets.errors import (
    BreakerOpenError,
    BudgetSpentError,
    CredentialsError,
    NotAskedError,
    RemoteRejectedError,
    RemoteUnavailableError,
)
from trade_assets.remote.protection.limits import BreakerState
from trade_assets.remote.protection.protection import Protection
from trade_assets_tests.remote.protection.helpers import Api, FakeTime, Make, away, most_in_any
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration


def test_what_would_be_sent_too_late_is_not_sent(
    make: Make, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis may take what is left of the time while it gives the last permit."""
    one, api = make(call_seconds=0.15), Api(fake_time)
    take = one._second.take

    def slow() -> bool:
        fake_time.passed += 0.09
        return take()

    monkeypatch.setattr(one._second, "take", slow)
    with pytest.raises(NotAskedError, match="no time is left"):
        one.call(api)
    assert api.asked == 0


def test_a_spent_budget_refuses_at_once_until_the_oldest_is_a_day_old(
    make: Make, fake_time: FakeTime
) -> None:
    one, api = make(per_day=3), Api(fake_time)
    other = make(one.limits.name, per_day=3)
    for minutes in range(3):
        fake_time.passed = minutes * 60.0
        one.call(api)
    with pytest.raises(
        BudgetSpentError, match=r"3 of 3 requests .* freed at 2025-11-22T10:00:21\+00:00"
    ):
        other.call(api)
    assert fake_time.slept == []
    state = other.state()
    assert (state.budget_used, state.budget_limit, state.budget_percent) == (3, 3, 100.0)

    fake_time.passed = 86_400.0 + 22
    other.call(api)
    with pytest.raises(BudgetSpentError):
        one.call(api)
    assert api.asked == 4


def test_without_a_budget_no_day_is_counted_and_none_ends(
    make: Make, fake_time: FakeTime, client: "redis.Redis"
) -> None:
    one, api = make(per_day=None), Api(fake_time)
    for _ in range(60):  # More than the second allows: that limit stays.
        one.call(api)
    assert most_in_any(1.0, api.times) == 50
    state = one.state()
    assert (state.budget_used, state.budget_limit, state.budget_percent) == (None, None, None)
    assert state.counters["attempts"] == 60
    assert client.exists(f"protection:{one.limits.name}:second") == 1
    assert client.exists(f"protection:{one.limits.name}:day") == 0


def test_retries_use_the_budget_too(make: Make, fake_time: FakeTime) -> None:
    one, api = make(per_day=2), Api(fake_time, *away(9))
    with pytest.raises(
        RemoteUnavailableError,
        match=r"^TT orders: 503 \(after 2 attempts; then not asked: .*2 of 2 requests",
    ) as raised:
        one.call(api)
    assert not isinstance(raised.value, NotAskedError)
    assert api.asked == 2
    assert isinstance(raised.value.__cause__, BudgetSpentError)


def test_failures_of_one_call_and_of_several_open_the_breaker(
    make: Make, fake_time: FakeTime
) -> None:
    one, api = make(attempts=3), Api(fake_time, *away(99))
    other = make(one.limits.name)
    for each in (one, other):
        with pytest.raises(RemoteUnavailableError):
            each.call(api)
    assert api.asked == 5
    with pytest.raises(BreakerOpenError, match="breaker open after 5 failures in a row"):
        one.call(api)
    assert api.asked == 5

    state = one.state()
    assert (state.breaker, state.failures) == (BreakerState.OPEN, 5)
    assert 0 < state.open_seconds_left <= 60.0


def opened(make: Make, time: FakeTime, **fields: object) -> Protection:
    """A protection whose breaker has been opened, and may be probed."""
    one = make(breaker_failures=1, attempts=1, **fields)
    with pytest.raises(RemoteUnavailableError):
        one.call(Api(time, *away(1)))
    time.passed += 61.0
    assert one.state().breaker is BreakerState.HALF_OPEN
    return one


def test_a_probe_that_succeeds_closes_it(make: Make, fake_time: FakeTime) -> None:
    one = opened(make, fake_time)
    assert one.call(Api(fake_time)) == "fine"
    assert one.state().breaker is BreakerState.CLOSED


def test_others_wait_for_what_a_probe_finds_out(
    make: Make, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened(make, fake_time)
    probing, over = threading.Event(), threading.Event()

    def probe(_: float) -> str:
        probing.set()
        assert over.wait(PATIENCE_SECONDS)
        return "fine"

    prober = threading.Thread(target=one.call, args=(probe,))

    def sleep(_: float) -> None:
        over.set()
        prober.join()

    monkeypatch.setattr(fake_time, "sleep", sleep)
    other, api = make(one.limits.name), Api(fake_time)
    prober.start()
    assert probing.wait(PATIENCE_SECONDS)
    assert other.call(api) == "fine"
    assert api.asked == 1


def test_others_are_refused_if_a_probe_takes_longer_than_they_may(
    make: Make, fake_time: FakeTime
) -> None:
    one = opened(make, fake_time)
    other = make(one.limits.name)

    def probe(_: float) -> str:
        with pytest.raises(BreakerOpenError, match="somebody is probing"):
            other.call(Api(fake_time))
        return "fine"

    assert one.call(probe) == "fine"


def test_a_probe_that_fails_opens_it_again(make: Make, fake_time: FakeTime) -> None:
    one = opened(make, fake_time)
    with pytest.raises(RemoteUnavailableError):
        one.call(Api(fake_time, *away(1)))
    assert one.state().breaker is BreakerState.OPEN


def test_a_probe_that_is_refused_by_the_api_closes_it(make: Make, fake_time: FakeTime) -> None:
    one = opened(make, fake_time)
    with pytest.raises(RemoteRejectedError):
        one.call(Api(fake_time, RemoteRejectedError("no", 404)))
    assert one.state().breaker is BreakerState.CLOSED


@pytest.mark.parametrize(
    "error", [CredentialsError("no secret at all"), NotAskedError("inner"), KeyError("a bug")]
)
def test_a_probe_that_asked_nothing_is_given_back(
    make: Make, fake_time: FakeTime, error: Exception
) -> None:
    one = opened(make, fake_time)
    with pytest.raises(type(error)):
        one.call(Api(fake_time, error))
    assert one.state().breaker is BreakerState.HALF_OPEN
    assert one.call(Api(fake_time)) == "fine"


def test_a_probe_without_budget_is_given_back(make: Make, fake_time: FakeTime) -> None:
    one = opened(make, fake_time, per_day=1)
    with pytest.raises(BudgetSpentError):
        one.call(Api(fake_time))
    richer = make(one.limits.name, per_day=2)
    assert richer.call(Api(fake_time)) == "fine"
