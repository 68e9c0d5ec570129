"""Fixtures of these tests."""

from pathlib import Path

import pytest

from trade_assets.settings import Settings
from trade_assets_tests.agent.helpers import Landed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the desk."""
    path = tmp_path / "desk"
    path.mkdir()
    return path


@pytest.fixture
def landed(provisioned: Settings) -> Landed:
    """What arrives in the bucket."""
    return Landed(provisioned)
