"""Fixtures of the reading commands: the command line under this test's settings."""

from collections.abc import Iterator

import pytest

from trade_assets.settings import Settings
from trade_assets.stores.bundle import Stores
from trade_assets_tests.commands.helpers import Run, runner


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
