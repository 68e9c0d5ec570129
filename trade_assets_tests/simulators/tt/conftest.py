"""A simulator that these tests share, and callers of it."""

from collections.abc import Iterator

import pytest

from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets.tt.resources import resources
from trade_assets_tests.simulators.tt.caller import Caller, stored_pair
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.tt import Simulator, running_simulator

UNLIMITED = ("--per-second", "10000", "--per-day", "1000000", "--redirect-share", "0")


@pytest.fixture(scope="package")
def tt_settings(local_parts: LocalParts, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with a secret."""
    settings = local_parts.settings(tmp_path_factory.mktemp("tt") / "home")
    provision(settings, resources(settings))
    return settings


@pytest.fixture(scope="package")
def _shared(tt_settings: Settings) -> Iterator[Simulator]:
    options = ("--backlog-fills", "1300", "--order-page", "17", "--fill-page", "500")
    with running_simulator(tt_settings, *UNLIMITED, *options) as simulator:
        yield simulator


@pytest.fixture
def simulator(_shared: Simulator) -> Iterator[Simulator]:
    """The shared simulator, without faults."""
    _shared.clear()
    yield _shared
    _shared.clear()


@pytest.fixture
def caller(simulator: Simulator, tt_settings: Settings) -> Caller:
    """A caller with a token."""
    made = Caller(simulator, *stored_pair(tt_settings))
    assert made.authorise().status == 200
    return made
