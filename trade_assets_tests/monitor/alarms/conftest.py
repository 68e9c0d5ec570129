"""Fixtures of the alarms' tests."""

from collections.abc import Iterator

import pytest
import redis

from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect


@pytest.fixture
def client(settings: Settings) -> Iterator["redis.Redis"]:
    """This test's own Redis database."""
    made = connect(settings)
    yield made
    disconnect(made)
