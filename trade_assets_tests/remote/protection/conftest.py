"""Protections of one API, as one process has them, on a real Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.remote.protection.helpers import FakeTime, Make, limits, protection


@pytest.fixture
def fake_time() -> FakeTime:
    """Time that stands still until somebody sleeps."""
    return FakeTime()


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    """A connection to the test's own Redis database."""
    connection = connect(settings)
    yield connection
    disconnect(connection)


@pytest.fixture
def make(settings: Settings, fake_time: FakeTime) -> Iterator[Make]:
    """Protections of limits that the test gives, each with connections of its own."""
    open_ones: list[Any] = []

    def make_one(name: str | None = None, **fields: object) -> Protection:
        kept = limits(**({"name": name} if name else {}), **fields)
        context = protection(settings, kept, fake_time)
        open_ones.append(context)
        return context.__enter__()

    yield make_one
    for context in open_ones:
        context.__exit__(None, None, None)
