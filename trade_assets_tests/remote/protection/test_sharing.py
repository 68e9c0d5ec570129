"""Several processes and threads on one Redis: together never above a limit."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.remote.protection.limits import ApiLimits
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.remote.protection.helpers import FakeTime, LastLook, limits, most_in_any
from trade_assets_tests.remote.protection.many import asked, hammer, in_threads
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration
PROCESSES = 3
some = examples(max_examples=25)


def in_processes(settings: Settings, kept: ApiLimits, threads: int, calls: int) -> list[float]:
    """When the requests of all processes went out."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        started = [pool.submit(hammer, settings, kept, threads, calls) for _ in range(PROCESSES)]
        return [moment for process in started for moment in process.result(PATIENCE_SECONDS)]


def test_processes_together_keep_to_the_second(settings: Settings) -> None:
    kept = limits(per_second=8, call_seconds=100_000.0)
    times = in_processes(settings, kept, threads=2, calls=5)
    assert len(times) == PROCESSES * 2 * 5
    assert most_in_any(1.0, times) <= 8


def test_processes_together_keep_to_the_day(settings: Settings) -> None:
    kept = limits(per_second=1000, per_day=17, call_seconds=100_000.0)
    assert len(in_processes(settings, kept, threads=2, calls=5)) == 17
    assert in_processes(settings, kept, threads=1, calls=1) == []  # Nor after a restart.


@some
@given(per_second=st.integers(1, 5), threads=st.integers(1, 6), calls=st.integers(1, 4))
def test_threads_together_keep_to_the_second(
    settings: Settings, per_second: int, threads: int, calls: int
) -> None:
    kept = limits(per_second=per_second, call_seconds=100_000.0)
    times = by_fake_time(settings, kept, threads, calls)
    assert len(times) == threads * calls
    assert most_in_any(1.0, times) <= per_second


@some
@given(per_day=st.integers(1, 20), threads=st.integers(1, 6), calls=st.integers(1, 6))
def test_threads_together_use_the_budget_and_no_more(
    settings: Settings, per_day: int, threads: int, calls: int
) -> None:
    kept = limits(per_second=1000, per_day=per_day, call_seconds=1000.0)
    assert len(by_fake_time(settings, kept, threads, calls)) == min(per_day, threads * calls)


def by_fake_time(settings: Settings, kept: ApiLimits, threads: int, calls: int) -> list[float]:
    """When the requests of threads went out, of time that passes where one of them waits."""
    time = FakeTime()
    clock = LastLook(time)
    client = connect(settings)
    shared = Protection(kept, client, clock=clock, monotonic=time.monotonic, sleep=time.sleep)
    try:
        return in_threads(threads, lambda: asked(shared, clock, calls))
    finally:
        disconnect(client)
