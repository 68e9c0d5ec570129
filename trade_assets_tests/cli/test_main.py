"""The command line as a whole."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from trade_assets import cli
from trade_assets.cli.main import COMMANDS
from trade_assets.datasets.registry import all_datasets, dataset_named
from trade_assets_tests.cli.helpers import Run

HEAVY = ("boto3", "dagster", "numpy", "polars", "redis", "scipy")


def test_every_command_module_is_listed() -> None:
    (folder,) = cli.__path__
    found = {path.stem.removesuffix("_command") for path in Path(folder).glob("*_command.py")}
    assert len(COMMANDS) == len(set(COMMANDS))
    assert set(COMMANDS) == found


def test_the_help_needs_nothing_heavy() -> None:
    code = (
        "import sys; import trade_assets.cli.main; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").out == f"trade-assets {version('trade_assets')}\n"


def completed(run: Run, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    """What bash offers for the last word of a line."""
    monkeypatch.setenv("_TRADE_ASSETS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))
    return run().out.split()


def test_a_shell_completes_commands_options_and_feeds(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert completed(run, monkeypatch, "trade-assets hi") == ["history"]
    assert "--wide" in completed(run, monkeypatch, "trade-assets latest --w")
    offered = completed(run, monkeypatch, "trade-assets latest ")
    assert offered[: len(all_datasets())] == list(all_datasets())
    for name in offered:
        assert dataset_named(name).path in all_datasets()
    assert completed(run, monkeypatch, "trade-assets latest tt/o") == ["tt/orders"]
    assert completed(run, monkeypatch, "trade-assets latest spot") == ["spot_risk"]
