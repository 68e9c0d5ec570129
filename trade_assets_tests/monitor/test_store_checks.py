"""Stores that answer and do not work."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from trade_assets.local.redis_server import start_redis
from trade_assets.monitor.part_status import PartLooker
from trade_assets.monitor.sections import StorePart
from trade_assets.monitor.store_checks import StoreChecks
from trade_assets.ports import LOOPBACK
from trade_assets.settings import load_settings

pytestmark = pytest.mark.integration


@pytest.fixture
def server(tmp_path: Path) -> Iterator[redis.Redis]:
    """A Redis of this test's own."""
    with (
        start_redis(tmp_path / "redis", options={"appendonly": "no"}) as part,
        closing(redis.Redis(LOOPBACK, part.port)) as client,
    ):
        yield client


def test_a_redis_that_answers_but_takes_no_writes_is_a_problem(server: redis.Redis) -> None:
    port = server.get_connection_kwargs()["port"]
    settings = load_settings(redis_url=f"redis://{LOOPBACK}:{port}/0")
    looker = PartLooker(settings)
    checks = StoreChecks(settings, looker)
    try:
        assert checks.write_problem(StorePart.REDIS) is None
        server.config_set("maxmemory-policy", "noeviction")
        server.config_set("maxmemory", 1)
        checks.check(StorePart.REDIS)
        assert "OutOfMemory" in (checks.write_problem(StorePart.REDIS) or "")
        server.config_set("maxmemory", 0)
        assert checks.write_problem(StorePart.REDIS) is None
        assert checks.write_problem(StorePart.S3) is None
    finally:
        checks.close()
        looker.close()
