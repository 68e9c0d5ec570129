"""One process of several that share the limits of an API; `test_sharing` starts it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from trade_assets.errors import BudgetSpentError
from trade_assets.remote.protection.limits import ApiLimits
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.remote.protection.helpers import LastLook


def hammer(settings: Settings, kept: ApiLimits, threads: int, calls: int) -> list[float]:
    """Call as fast as it goes in some threads; when each request went out."""
    clock = LastLook()
    client = connect(settings)
    shared = Protection(kept, client, clock=clock)
    try:
        return in_threads(threads, lambda: asked(shared, clock, calls))
    finally:
        disconnect(client)


def in_threads(count: int, work: Callable[[], list[float]]) -> list[float]:
    """What threads that start together return, in one list."""
    gate = threading.Barrier(count)

    def begin(_: int) -> list[float]:
        gate.wait()
        return work()

    with ThreadPoolExecutor(count) as pool:
        return [moment for times in pool.map(begin, range(count)) for moment in times]


def asked(shared: Protection, clock: LastLook, calls: int) -> list[float]:
    """When the requests of so many calls went out, those that the budget allowed."""
    times: list[float] = []
    for _ in range(calls):
        try:
            shared.call(lambda _: times.append(clock.last))
        except BudgetSpentError:
            continue
    return times
