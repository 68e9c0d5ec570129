"""Retries that a store owns: what is tried again, for how long, and who may end it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried
from trade_assets_tests.support.waiting import PATIENCE_SECONDS


class Store:
    """A store that fails so often before it answers."""

    def __init__(self, retries: Retries, failures: int, error: Exception | None = None) -> None:
        self.calls = 0
        self._retries = retries
        self._failures = failures
        self._error = error or StoreUnavailableError("away")

    @property
    def retries(self) -> Retries:
        return self._retries

    @retried
    def read(self, key: str, *, suffix: str = "") -> str:
        """An answer."""
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return key + suffix


def test_a_passing_failure_is_tried_again_and_arguments_stay() -> None:
    store = Store(Retries(30), failures=3)
    assert store.read("a", suffix="b") == "ab"
    assert store.calls == 4


def test_without_retries_the_first_error_is_raised() -> None:
    store = Store(NO_RETRIES, failures=1)
    with pytest.raises(StoreUnavailableError, match="away"):
        store.read("a")
    assert store.calls == 1


def test_what_does_not_pass_is_never_tried_again() -> None:
    store = Store(Retries(30), failures=1, error=StoreRejectedError("no"))
    with pytest.raises(StoreRejectedError, match="no"):
        store.read("a")
    assert store.calls == 1


def test_the_last_error_is_raised_when_the_bound_is_reached() -> None:
    store = Store(Retries(0.2), failures=1_000_000)
    with pytest.raises(StoreUnavailableError, match="away"):
        store.read("a")
    assert store.calls > 1


def test_an_abort_ends_retries_under_way_and_those_to_come() -> None:
    retries = Retries(600)
    store = Store(retries, failures=1_000_000)
    caught: list[Exception] = []

    def read() -> None:
        try:
            store.read("a")
        except StoreUnavailableError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while store.calls < 2:
        time.sleep(0.001)
    retries.abort()
    thread.join(PATIENCE_SECONDS)
    assert len(caught) == 1
    calls = store.calls
    with pytest.raises(StoreUnavailableError):
        store.read("a")
    assert store.calls == calls + 1


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_who_is_interrupted_leaves_no_thread_that_the_end_would_wait_for(
    ending: type[BaseException],
) -> None:
    retries, pool = Retries(30), ThreadPoolExecutor(2)

    def interrupted(_: int) -> None:
        raise ending

    with pytest.raises(ending):
        retries.beside_each_other(pool, interrupted, range(4))
    assert retries.ended
    with pytest.raises(RuntimeError):
        pool.submit(interrupted, 1)


def test_an_error_of_a_call_leaves_the_pool_as_it_was() -> None:
    retries = Retries(30)
    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(ZeroDivisionError):
            retries.beside_each_other(pool, lambda number: 1 // number, [1, 0])
        assert retries.beside_each_other(pool, abs, [-1, 2]) == [1, 2]
    assert not retries.ended
