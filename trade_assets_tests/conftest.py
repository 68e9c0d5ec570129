"""Fixtures that give tests the real local parts. Anything that is not shared stays in its test."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis import HealthCheck

from trade_assets.local.redis_server import start_redis_cluster
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import LocalParts, running_parts
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

# No test is about how long an example takes, or takes to make. The fixtures of a test are made once
# for all its examples, which bring along what has to be fresh.
hypothesis.settings.register_profile(
    "untimed",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("untimed")

# A shell starts what it runs in the background with SIGINT ignored. Dagster then gives SIGTERM the
# same treatment, and every process that a test starts inherits it and cannot be stopped.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Settings of whoever runs the tests must not reach them; AWS's own are cleared for the same reason.
for _name in [name for name in os.environ if name.startswith(("TRADE_ASSETS_", "AWS_"))]:
    if _name != "AWS_CA_BUNDLE":
        del os.environ[_name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


_IDLE = ("s3_", "dynamodb_", "ThreadPoolExecutor-", "AnyIO worker")
"""Names of the workers of pools, which wait for work that does not come any more."""


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """A test ends what it began: what goes on works in the tests behind it, whatever those are
    about (to mention one: hypothesis takes a draw from `random` beside it for one of its own)."""
    before = set(threading.enumerate())
    yield
    left = [
        thread
        for thread in set(threading.enumerate()) - before
        if not thread.name.startswith(_IDLE)
    ]
    for thread in left:
        thread.join(PATIENCE_SECONDS)
    assert not [thread for thread in left if thread.is_alive()]


@pytest.fixture(scope="session")
def local_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalParts]:
    """A real AWS stand-in and a real Redis, started once for the session."""
    with running_parts(tmp_path_factory.mktemp("local-parts")) as parts:
        yield parts


@pytest.fixture
def settings(local_parts: LocalParts, tmp_path: Path) -> Settings:
    """Settings of this test alone: its own AWS names (nothing made yet) and Redis database."""
    return local_parts.settings(tmp_path / "home")


@pytest.fixture
def provisioned(settings: Settings) -> Settings:
    """`settings`, with bucket, queues, notification and tables made."""
    provision(settings)
    return settings


@pytest.fixture(scope="module")
def module_settings(local_parts: LocalParts, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Provisioned settings that the tests of a module share."""
    shared = local_parts.settings(tmp_path_factory.mktemp("module") / "home")
    provision(shared)
    return shared


@pytest.fixture(scope="session")
def _redis_cluster_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with start_redis_cluster(tmp_path_factory.mktemp("redis-cluster")) as part:
        yield part.port


@pytest.fixture
def redis_cluster_settings(
    _redis_cluster_port: int, local_parts: LocalParts, tmp_path: Path
) -> Settings:
    """`settings` whose Redis is a cluster (of one node): commands over two slots fail there.

    A cluster has one database, so tests share its keys: use record keys of your own.
    """
    return local_parts.settings(
        tmp_path / "home",
        redis_url=f"redis://{LOOPBACK}:{_redis_cluster_port}/0",
        redis_cluster=True,
    )
