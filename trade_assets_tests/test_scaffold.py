"""What Dagster's own command line puts into a copy of the project, and finds there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trade_assets.definitions import build_definitions
from trade_assets.settings import load_settings
from trade_assets_tests.support.parts import CHECKOUT
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

COPIED = ("pyproject.toml", "workspace.yaml", "setup.py", "README.md")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the checkout, which is imported in place of the installed package."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        shutil.copy(CHECKOUT / name, folder)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "trade_assets", folder / "trade_assets", ignore=ignored)
    yield folder
    shutil.rmtree(folder)


def dg(folder: Path, *arguments: str) -> str:
    """Output of a `dg` command in a checkout."""
    command = [str(Path(sys.executable).with_name("dg")), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.integration
def test_what_is_scaffolded_is_found_beside_what_is_there(copy: Path) -> None:
    dg(copy, "scaffold", "defs", "dagster.asset", "margins/charged.py")
    found = json.loads(dg(copy, "list", "defs", "--json"))
    known = build_definitions(settings=load_settings())
    expected = {key.to_user_string() for key in known.resolve_all_asset_keys()} | {"charged"}
    assert {asset["asset_key"] for asset in found["assets"]} == expected
    assert "feed_bucket" in {sensor["name"] for sensor in found["sensors"]}
    assert "successfully" in dg(copy, "check", "defs")
