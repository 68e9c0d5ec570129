"""The circuit breaker against a model of it, and under threads: one probe, no lost failure."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
import redis
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.remote.protection.breaker import (
    LONGEST_PAUSE_SECONDS,
    CircuitBreaker,
    Verdict,
    Word,
)
from trade_assets.remote.protection.limits import ApiLimits, BreakerState
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.remote.protection.helpers import FakeTime, limits

pytestmark = pytest.mark.integration
LEASE = 22.0
"""`call_seconds` of the tests' limits, and the spare."""

on_redis = examples(max_examples=40)


def breaker(client: "redis.Redis", time: FakeTime, **fields: object) -> CircuitBreaker:
    return CircuitBreaker(limits(**fields), client, time.clock)


def opened(client: "redis.Redis", time: FakeTime) -> CircuitBreaker:
    """A breaker that a failure has just opened."""
    one = breaker(client, time, breaker_failures=1)
    assert one.admit("first").word is Word.CLOSED
    one.settle("first", Verdict.FAILURE)
    return one


def state(client: "redis.Redis", one: CircuitBreaker) -> BreakerState:
    return one.view(client.hgetall(one.key)).state  # type: ignore[arg-type]


@dataclass
class Model:
    """The breaker as its docstring says, in memory."""

    kept: ApiLimits
    failures: int = 0
    open_until: float | None = None
    probe: str | None = None
    probe_until: float = 0.0
    tokens: list[str] = field(default_factory=list)

    def admit(self, token: str, now: float) -> Word:
        if self.open_until is None:
            return Word.CLOSED
        if now < self.open_until:
            return Word.OPEN
        if self.probe is not None and now < self.probe_until:
            return Word.PROBED
        self.probe, self.probe_until = token, now + LEASE
        return Word.PROBE

    def settle(self, token: str, verdict: Verdict, now: float) -> None:
        probing = self.open_until is not None and token == self.probe
        if self.open_until is not None and not probing:
            return
        if verdict is Verdict.RELEASE:
            self.probe = None
        elif verdict is Verdict.SUCCESS:
            self.failures, self.open_until, self.probe = 0, None, None
        else:
            self.failures += 1
            if probing or self.failures >= self.kept.breaker_failures:
                self.open_until = now + self.kept.breaker_open_seconds
                self.probe = None


step = st.one_of(
    st.just("admit"),
    st.tuples(st.sampled_from(Verdict), st.integers(0, 3)),
    st.sampled_from([1, 7, 23, 60]),
)


@on_redis
@given(threshold=st.integers(1, 3), steps=st.lists(step, max_size=60))
def test_it_does_what_the_model_does(
    client: "redis.Redis", threshold: int, steps: list[object]
) -> None:
    """Any order of asking, answers (late ones too) and waiting."""
    time = FakeTime()
    one = breaker(client, time, breaker_failures=threshold)
    model = Model(limits(breaker_failures=threshold))
    flying: list[str] = []
    for action in steps:
        if isinstance(action, int):
            time.passed += action
        elif action == "admit":
            token = uuid4().hex
            admission = one.admit(token)
            assert admission.word is model.admit(token, time.passed)
            assert admission.failures == model.failures
            if admission.granted:
                flying.append(token)
        elif isinstance(action, tuple) and flying:
            token = flying.pop(action[1] % len(flying))
            one.settle(token, action[0])
            model.settle(token, action[0], time.passed)


def together(count: int, work: "list[CircuitBreaker]") -> list[Word]:
    """What the breaker says to as many threads that ask at once."""
    gate = threading.Barrier(count)

    def ask(one: CircuitBreaker) -> Word:
        gate.wait()
        return one.admit(uuid4().hex).word

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(ask, [work[index % len(work)] for index in range(count)]))


@examples(max_examples=15)
@given(threads=st.integers(2, 12), late=st.floats(60.001, 10_000))
def test_of_many_at_once_exactly_one_is_the_probe(
    client: "redis.Redis", settings: Settings, threads: int, late: float
) -> None:
    time = FakeTime()
    one = opened(client, time)
    other_client = connect(settings)
    other = CircuitBreaker(one._limits, other_client, time.clock)
    time.passed = late

    words = Counter(together(threads, [one, other]))

    disconnect(other_client)
    assert words == {Word.PROBE: 1, Word.PROBED: threads - 1}


@examples(max_examples=15)
@given(failures=st.integers(1, 12), threshold=st.integers(1, 12))
def test_no_failure_of_concurrent_requests_is_lost(
    client: "redis.Redis", failures: int, threshold: int
) -> None:
    time = FakeTime()
    one = breaker(client, time, breaker_failures=threshold)
    tokens = [uuid4().hex for _ in range(failures)]
    assert all(one.admit(token).granted for token in tokens)
    with ThreadPoolExecutor(failures) as pool:
        list(pool.map(lambda token: one.settle(token, Verdict.FAILURE), tokens))

    seen = one.admit(uuid4().hex)
    assert seen.word is (Word.OPEN if failures >= threshold else Word.CLOSED)
    assert seen.failures == min(failures, threshold)


def test_a_success_forgets_the_failures(client: "redis.Redis", fake_time: FakeTime) -> None:
    one = breaker(client, fake_time, breaker_failures=3)
    for _ in range(3):
        for verdict in (Verdict.FAILURE, Verdict.FAILURE, Verdict.SUCCESS):
            token = uuid4().hex
            assert one.admit(token).word is Word.CLOSED
            one.settle(token, verdict)
    assert one.admit("last").failures == 0


def test_the_life_of_a_breaker(client: "redis.Redis", fake_time: FakeTime) -> None:
    one = opened(client, fake_time)
    assert state(client, one) is BreakerState.OPEN
    fake_time.passed = 59.0
    assert one.admit("a").seconds == pytest.approx(1.0)

    fake_time.passed = 61.0
    assert state(client, one) is BreakerState.HALF_OPEN
    assert one.admit("b").word is Word.PROBE
    one.settle("b", Verdict.FAILURE)
    assert one.admit("c").word is Word.OPEN

    fake_time.passed = 122.0
    assert one.admit("d").word is Word.PROBE
    one.settle("d", Verdict.SUCCESS)
    assert state(client, one) is BreakerState.CLOSED
    assert one.admit("e").word is Word.CLOSED


def test_the_lease_of_a_dead_prober_ends(client: "redis.Redis", fake_time: FakeTime) -> None:
    one = opened(client, fake_time)
    fake_time.passed = 61.0
    assert one.admit("dies").word is Word.PROBE
    fake_time.passed = 61.0 + LEASE - 0.1
    assert one.admit("early").word is Word.PROBED
    fake_time.passed = 61.0 + LEASE + 0.1
    assert one.admit("next").word is Word.PROBE

    one.settle("dies", Verdict.SUCCESS)  # Not dead after all, but no longer the probe.
    assert state(client, one) is BreakerState.HALF_OPEN


def test_the_prober_may_ask_twice(client: "redis.Redis", fake_time: FakeTime) -> None:
    """As redis-py does where the connection breaks after the script ran."""
    one = opened(client, fake_time)
    fake_time.passed = 61.0
    assert [one.admit("probe").word for _ in range(2)] == [Word.PROBE, Word.PROBE]


def test_a_pause_holds_for_everybody_and_ends(client: "redis.Redis", fake_time: FakeTime) -> None:
    one = breaker(client, fake_time)
    one.admit("a")
    one.settle("a", Verdict.FAILURE, 30.0)
    one.settle("b", Verdict.FAILURE, 5.0)  # A shorter one does not shorten it.
    assert one.admit("c").word is Word.PAUSED
    one.settle("d", Verdict.SUCCESS)
    assert one.admit("e").seconds == pytest.approx(30.0)
    assert one.view(client.hgetall(one.key)).paused_seconds == pytest.approx(30.0)  # type: ignore[arg-type]
    fake_time.passed = 30.1
    assert one.admit("f").word is Word.CLOSED


def test_a_probe_that_succeeds_does_not_end_a_pause(
    client: "redis.Redis", fake_time: FakeTime
) -> None:
    one = opened(client, fake_time)
    fake_time.passed = 61.0
    assert one.admit("probe").word is Word.PROBE
    one.settle("late", Verdict.FAILURE, 30.0)  # Sent before it opened: told to wait.
    one.settle("probe", Verdict.SUCCESS)
    assert one.admit("next").word is Word.PAUSED
    fake_time.passed = 91.1
    assert one.admit("last").word is Word.CLOSED


def test_a_pause_has_a_bound(client: "redis.Redis", fake_time: FakeTime) -> None:
    one = breaker(client, fake_time)
    one.settle("a", Verdict.FAILURE, 10.0**9)
    assert one.admit("b").seconds == pytest.approx(LONGEST_PAUSE_SECONDS)


def test_a_clock_that_goes_back_keeps_it_open_no_longer(
    client: "redis.Redis", fake_time: FakeTime
) -> None:
    fake_time.passed = 10_000.0
    one = opened(client, fake_time)
    fake_time.passed = 0.0
    assert one.admit("a").seconds == pytest.approx(60.0)
    assert one.view(client.hgetall(one.key)).open_seconds_left == pytest.approx(60.0)  # type: ignore[arg-type]
    fake_time.passed = 60.1
    assert one.admit("b").word is Word.PROBE


def test_its_key_ends_by_itself(client: "redis.Redis", fake_time: FakeTime) -> None:
    one = opened(client, fake_time)
    assert 86_000 < int(client.ttl(one.key)) <= 86_460
