"""A call through the whole layer: what goes out, what is refused, what is tried again."""

import re
from contextlib import suppress
from itertools import count

import pytest
import redis
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.errors import (
    BreakerOpenError,
    BudgetSpentError,
    MalformedAnswerError,
    NotAskedError,
    RemoteRejectedError,
    RemoteUnavailableError,
    StoreUnavailableError,
    ThrottledError,
)
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.remote.protection.limits import BreakerState, CallTally
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets_tests.remote.protection.helpers import (
    START,
    Api,
    FakeTime,
    Make,
    away,
    limits,
    most_in_any,
    protection,
)

pytestmark = pytest.mark.integration


def test_an_answer_is_returned(make: Make, fake_time: FakeTime) -> None:
    one, api = make(), Api(fake_time, "hello")
    assert one.call(api) == "hello"
    assert api.timeouts == [20.0]
    assert one.tally == CallTally(calls=1, attempts=1)


def test_a_failure_is_tried_again(make: Make, fake_time: FakeTime) -> None:
    one, api = make(), Api(fake_time, *away(2), "hello")
    assert one.call(api) == "hello"
    assert one.tally.attempts == api.asked == 3
    assert (one.tally.retries, one.tally.failures, one.tally.refused) == (2, 2, 0)
    assert one.tally.waited_seconds == pytest.approx(sum(fake_time.slept))
    assert api.timeouts[2] == pytest.approx(20.0 - fake_time.passed)
    assert one.state().failures == 0


@pytest.mark.parametrize("error", [MalformedAnswerError, RemoteUnavailableError, ThrottledError])
def test_attempts_are_bounded(
    make: Make, fake_time: FakeTime, error: type[RemoteUnavailableError]
) -> None:
    one, api = make(attempts=3), Api(fake_time, *[error("TT orders: odd") for _ in range(9)])
    with pytest.raises(error, match=re.escape("TT orders: odd (after 3 attempts)")):
        one.call(api)
    assert api.asked == 3


def test_waits_grow_and_are_random(make: Make, fake_time: FakeTime) -> None:
    one = make(attempts=6, breaker_failures=1000, call_seconds=1000.0, per_second=1000)
    for _ in range(30):
        with pytest.raises(RemoteUnavailableError):
            one.call(Api(fake_time, *away(6)))
    for retry in range(5):
        waits = fake_time.slept[retry::5]
        longest = 0.25 * 2**retry
        assert max(waits) <= longest
        assert max(waits) > longest / 2  # Fails once in 2**30 runs.
        assert min(waits) < longest / 2  # The jitter is full.


def test_retry_after_is_a_floor(make: Make, fake_time: FakeTime) -> None:
    one = make()
    api = Api(fake_time, ThrottledError("slow down", 6.0), "hello")
    assert one.call(api) == "hello"
    assert api.times[1] - api.times[0] >= 6.0
    assert (one.tally.throttled, one.tally.failures) == (1, 1)


def test_retry_after_beyond_the_deadline_ends_the_call_at_once(
    make: Make, fake_time: FakeTime
) -> None:
    one, api = make(), Api(fake_time, ThrottledError("slow down", 25.0))
    with pytest.raises(ThrottledError, match=re.escape("slow down (after 1 attempt)")) as raised:
        one.call(api)
    assert raised.value.retry_after == 25.0
    assert (api.asked, fake_time.passed) == (1, 0.0)


def test_retry_after_holds_for_the_next_call_and_other_processes(
    make: Make, fake_time: FakeTime
) -> None:
    one, api = make(), Api(fake_time, ThrottledError("slow down", 25.0))
    other = make(one.limits.name)
    with pytest.raises(ThrottledError):
        one.call(api)
    with pytest.raises(NotAskedError, match=r"left alone for another 25\.0 s"):
        other.call(api)
    assert other.state().paused_seconds == pytest.approx(25.0)

    fake_time.passed = 10.0
    assert other.call(api) == "fine"  # It waits: the pause ends before the call must.
    assert api.times[-1] >= START + 25.0


@pytest.mark.parametrize("attempts", [1, 4])
def test_what_the_api_refuses_is_not_asked_again(
    make: Make, fake_time: FakeTime, attempts: int
) -> None:
    one = make(attempts=attempts, breaker_failures=1)
    api = Api(fake_time, RemoteRejectedError("TT orders: 403: no", 403))
    with pytest.raises(RemoteRejectedError, match=r"^TT orders: 403: no$"):
        one.call(api)
    assert api.asked == 1
    assert one.state().breaker is BreakerState.CLOSED


def test_a_call_ends_by_its_deadline(make: Make, fake_time: FakeTime) -> None:
    one = make(attempts=100, breaker_failures=1000)
    with pytest.raises(RemoteUnavailableError, match=r"after \d+ attempts"):
        one.call(Api(fake_time, *away(200)), deadline=7.0)
    assert fake_time.passed <= 7.0
    with pytest.raises(RemoteUnavailableError):
        one.call(Api(fake_time, *away(200)))
    assert fake_time.passed <= 27.0


def test_nothing_is_asked_after_the_deadline(make: Make, fake_time: FakeTime) -> None:
    one, api = make(), Api(fake_time)
    with pytest.raises(NotAskedError, match="no time is left"):
        one.call(api, deadline=0.0)
    assert api.asked == 0
    assert one.tally == CallTally(calls=1, refused=1)


def test_calls_wait_for_room_in_the_second(make: Make, fake_time: FakeTime) -> None:
    one, api = make(per_second=2), Api(fake_time)
    for _ in range(9):
        one.call(api)
    assert most_in_any(1.0, api.times) == 2
    assert fake_time.passed < 9
    assert one.tally.waited_seconds == pytest.approx(fake_time.passed)


def test_no_room_before_the_deadline_is_refused_without_waiting(
    make: Make, fake_time: FakeTime
) -> None:
    one, api = make(per_second=1), Api(fake_time)
    one.call(api)
    with pytest.raises(NotAskedError, match="1 requests a second are taken"):
        one.call(api, deadline=1.0)
    assert (api.asked, fake_time.passed) == (1, 0.0)


def test_a_permit_that_came_late_is_not_used(settings: Settings, client: "redis.Redis") -> None:
    """Its second has moved on while it was under way: the request would count in another."""
    time, api_kept, looks = FakeTime(), limits(per_second=3), count()

    def clock() -> float:
        time.passed += 0.06 if next(looks) < 6 else 0.0  # The first looks take long.
        return time.clock()

    api = Api(time)
    one = Protection(api_kept, client, clock=clock, monotonic=time.monotonic, sleep=time.sleep)
    one.call(api)
    assert client.llen(f"protection:{api_kept.name}:second") == 2
    assert (api.asked, one.state().budget_used) == (1, 1)


@examples(max_examples=25)
@given(
    answers=st.lists(st.sampled_from(["fine", "away", "throttled", "refused"]), max_size=25),
    per_second=st.integers(1, 3),
    per_day=st.integers(1, 12),
    attempts=st.integers(1, 4),
)
def test_whatever_the_api_does_no_limit_is_passed(
    settings: Settings, answers: list[str], per_second: int, per_day: int, attempts: int
) -> None:
    time = FakeTime()
    errors = {
        "away": lambda: RemoteUnavailableError("away"),
        "throttled": lambda: ThrottledError("slow down", 2.0),
        "refused": lambda: RemoteRejectedError("no", 403),
    }
    kept = limits(per_second=per_second, per_day=per_day, attempts=attempts)
    api = Api(time, *[errors.get(word, lambda: "fine")() for word in answers])
    with protection(settings, kept, time) as one:
        for _ in range(10):
            before = api.asked
            with suppress(RemoteUnavailableError, RemoteRejectedError):
                one.call(api)
            assert api.asked - before <= attempts
        state = one.state()

    assert state.budget_used is not None
    assert api.asked <= state.budget_used <= per_day
    assert most_in_any(1.0, api.times) <= per_second
    assert one.tally.attempts == api.asked
    assert state.counters == one.tally.counts()


def test_counters_are_shared_and_begin_anew_each_day(make: Make, fake_time: FakeTime) -> None:
    one = make(attempts=2)
    other = make(one.limits.name, attempts=2)
    one.call(Api(fake_time, *away(1)))
    with pytest.raises(ThrottledError):
        other.call(Api(fake_time, ThrottledError("a", 90.0)))
    with pytest.raises(NotAskedError):
        one.call(Api(fake_time))
    assert one.state().counters == {
        "calls": 3,
        "attempts": 3,
        "retries": 1,
        "throttled": 1,
        "failures": 2,
        "refused": 1,
    }
    assert one.tally.calls == 2
    fake_time.passed = 86_400.0
    assert set(other.state().counters.values()) == {0}


def test_keys_are_named_and_end(make: Make, fake_time: FakeTime, client: "redis.Redis") -> None:
    one = make("tt:ext_prod_sim")
    one.call(Api(fake_time, *away(1)))
    keys = [f"protection:tt:ext_prod_sim:{part}" for part in ("second", "day")]
    keys.append("protection:tt:ext_prod_sim:counters:2025-11-21")
    assert sorted(client.keys("*")) == sorted(keys)
    assert all(int(client.ttl(key)) > 0 for key in keys)


def test_without_redis_nothing_is_asked(settings: Settings, fake_time: FakeTime) -> None:
    url = f"redis://:hidden-password@{LOOPBACK}:{free_port()}/0"
    gone = settings.changed({"redis_url": type(settings.stores.redis_url)(url)})
    api = Api(fake_time)
    with protection(gone, limits(), fake_time) as one:
        with pytest.raises(NotAskedError, match="cannot be counted") as raised:
            one.call(api)
        with pytest.raises(StoreUnavailableError):
            one.state()
    assert api.asked == 0
    assert "hidden-password" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_redis_going_away_after_the_answer_does_not_lose_it(
    make: Make, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = make()

    def gone(*_: object, **__: object) -> None:
        raise redis.ConnectionError("gone")

    def answer(_: float) -> str:
        monkeypatch.setattr(one._redis, "evalsha", gone)
        monkeypatch.setattr(one._redis, "pipeline", gone)
        return "fine"

    assert one.call(answer) == "fine"


def test_it_runs_on_a_cluster(redis_cluster_settings: Settings, fake_time: FakeTime) -> None:
    kept = limits(per_second=2, per_day=4, breaker_failures=1, attempts=1)
    with protection(redis_cluster_settings, kept, fake_time) as one:
        api = Api(fake_time)
        for _ in range(3):
            assert one.call(api) == "fine"
        assert most_in_any(1.0, api.times) == 2
        with pytest.raises(RemoteUnavailableError):
            one.call(Api(fake_time, *away(1)))
        with pytest.raises(BreakerOpenError):
            one.call(api)
        fake_time.passed += 61.0
        with pytest.raises(BudgetSpentError):
            one.call(api)
        state = one.state()
    assert (state.breaker, state.budget_used, state.counters["calls"]) == (
        BreakerState.HALF_OPEN,
        4,
        6,
    )


@pytest.mark.parametrize(
    "field",
    ["per_second", "per_day", "attempts", "call_seconds", "breaker_failures"],
)
def test_limits_are_positive(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        limits(**{field: 0})
