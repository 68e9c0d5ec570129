"""Program that starts another one in its place, tied to the life of its parent.

``python -P -m trade_assets.local.launch [--parent PID] [--set NAME=VALUE …] -- COMMAND …``

The kernel sends the command SIGTERM when its parent dies, however it dies, so that nothing of the
local stack outlives who started it. Standard library only: this runs before every part.
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def tied(
    command: Sequence[str], *, parent: int | None = None, extra: Mapping[str, str] | None = None
) -> list[str]:
    """`command`, prefixed so that it dies with its parent and sees `extra` in its environment.

    `parent` closes the moment between fork and start: if another process than `parent` is the
    parent by then, the command is not started at all.
    """
    prefix = [sys.executable, "-P", "-m", "trade_assets.local.launch"]
    if parent is not None:
        prefix += ["--parent", str(parent)]
    for name, value in (extra or {}).items():
        prefix += ["--set", f"{name}={value}"]
    return [*prefix, "--", *command]


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent dies; survives `exec`. Linux; elsewhere nothing.

    The parent is the *thread* that forked: start parts from a thread that lives as long as they.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Tie, then become the command."""
    parser = argparse.ArgumentParser(prog="trade_assets.local.launch")
    parser.add_argument("--parent", type=int)
    parser.add_argument("--set", action="append", default=[], dest="variables")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    parent = os.getppid() if options.parent is None else options.parent
    die_with_parent()
    if os.getppid() != parent:
        sys.exit("the process that asked for this one is gone")
    os.environ.update(item.split("=", 1) for item in options.variables)
    os.execvp(options.command[0], options.command)  # noqa: S606 - becomes it, without a shell


if __name__ == "__main__":
    main()
