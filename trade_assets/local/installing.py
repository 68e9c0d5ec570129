"""What the local parts need beside this package: folders that are built once, from a registry.

Which part needs what is its module's matter (`ministack`, `dynalite`).
"""

import fcntl
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from trade_assets.errors import LocalStackError

COMPLETE: Final = "complete"
"""File that says that a folder was built to its end."""

_CAUSES: Final = {
    "No space left on device": "the disk is full; make room or move TRADE_ASSETS_HOME",
    "ENOSPC": "the disk is full; make room or move TRADE_ASSETS_HOME",
    "Disk quota exceeded": "the disk quota is used up; make room or move TRADE_ASSETS_HOME",
    "ensurepip is not": "the venv module is incomplete; install the package python3-venv",
    "Permission denied": "no permission to write there; check who owns TRADE_ASSETS_HOME",
    "No matching distribution": "the package index cannot be reached, or does not have it; "
    "check the network and pip's settings (PIP_INDEX_URL, proxy), then start again",
    "Connection": "the package index cannot be reached; check the network and pip's settings "
    "(PIP_INDEX_URL, proxy), then start again",
    "npm error": "npm's registry cannot be reached, or does not have it; check the network and "
    "npm's settings (NPM_CONFIG_REGISTRY, proxy), then start again",
}


def build_once(folder: Path, is_built: Callable[[], bool], build: Callable[[], None]) -> None:
    """Run `build` unless the folder `is_built`; a build that was broken off is started afresh.

    Two processes build one after the other. `build` finds no folder.

    Raises:
        LocalStackError: of `build`.
    """
    if is_built():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_built():
            shutil.rmtree(folder, ignore_errors=True)
            build()
            (folder / COMPLETE).touch()


def require_room(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Check that the disk of a folder's parent has room for it.

    Raises:
        LocalStackError: it has not.
    """
    free = shutil.disk_usage(folder.parent).free
    if free < needed_bytes:
        raise LocalStackError(
            f"{folder.parent} has {free // 2**20} MB left, but {purpose} needs "
            f"{needed_bytes // 2**20} MB; make room, or move TRADE_ASSETS_HOME to another disk"
        )


def run_step(command: Sequence[str], what: str, folder: Path | None = None) -> None:
    """Run a step of a build in `folder`; its output only matters when it fails.

    Raises:
        LocalStackError: it failed: `what`, and what to do about it.
    """
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=folder
    )
    if done.returncode:
        raise LocalStackError(f"{what}: {_explanation(done.stderr + done.stdout)}")


def _explanation(output: str) -> str:
    """What to do about a tool's output, with its last line."""
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "")
    for sign, advice in _CAUSES.items():
        if sign in output:
            return f"{advice} ({last})"
    return last or "no reason given"
