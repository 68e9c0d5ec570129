"""Fixtures of the reading commands: the command line under this test's settings, and a platform
that `status` calls healthy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trade_assets.feeds.stream.heartbeats import Heartbeats, StreamBeat
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect
from trade_assets_tests.cli.helpers import (
    Run,
    freshen,
    freshen_slots,
    http_server,
    never_stale,
    runner,
    store_samples,
)
from trade_assets_tests.support.stores import Stores

WEBSERVER_INFO = b'{"dagster_webserver_version": "1.13.27", "dagster_version": "1.13.27"}'
"""What dagster-webserver answers to `/server_info`."""
IN_AN_HOUR = timedelta(hours=1)


@pytest.fixture
def stores(settings: Settings) -> Iterator[Stores]:
    """The stores of this test."""
    with Stores(settings) as opened:
        yield opened


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`run("latest", "spot_risk")`: what the command printed, and its exit code."""
    return runner(settings, monkeypatch, capsys)


@pytest.fixture
def redis_client(settings: Settings) -> Iterator[Any]:
    """A client of this test's Redis."""
    client = connect(settings)
    yield client
    client.close()


@pytest.fixture
def local_programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Dagster UI and a TT simulator, as far as `status` asks them."""
    with http_server(WEBSERVER_INFO) as port:
        monkeypatch.setenv("TRADE_ASSETS_DAGSTER_PORT", str(port))
        monkeypatch.setenv("TRADE_ASSETS_TT_SIMULATOR_PORT", str(port))
        yield


@pytest.fixture
def healthy(
    stores: Stores, redis_client: Any, local_programs: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All parts there, fresh feeds, whole slots, and a stream run that consumes for an hour."""
    never_stale(monkeypatch)
    freshen(stores)
    freshen_slots(stores)
    store_samples(stores, history=False)
    ends = (datetime.now(UTC) + IN_AN_HOUR).timestamp()
    beats = Heartbeats(redis_client, stale_seconds=IN_AN_HOUR.total_seconds())
    beats.beat(StreamBeat("run-1", ends, files=7))
