"""The command line as a whole."""

import subprocess
import sys
from pathlib import Path

from trade_assets import cli
from trade_assets.cli.main import COMMANDS

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
