"""Program that starts another one in its place, tied to the life of its parent.

``python -P -m trade_assets.local.launcher [options] -- COMMAND …``; see `tied` for the options.

The kernel sends the command SIGTERM when its parent dies, however it dies, so that nothing of the
local stack outlives who started it. Standard library only: this runs before every part.
"""

import argparse
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Final

PORT_WAIT_SECONDS: Final = 20.0
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def tied(
    command: Sequence[str],
    *,
    parent: int | None = None,
    extra: Mapping[str, str] | None = None,
    after_port: int | None = None,
    at_once: bool = False,
) -> list[str]:
    """`command`, prefixed so that it dies with its parent and sees `extra` in its environment.

    `parent` closes the moment between fork and start: if another process than `parent` is the
    parent by then, the command is not started at all. With `after_port` the command begins once
    somebody listens on that port of loopback, or after `PORT_WAIT_SECONDS` all the same. It dies by
    SIGTERM, or, where it would take its time, `at_once` by SIGKILL.
    """
    prefix = [sys.executable, "-P", "-m", "trade_assets.local.launcher"]
    if parent is not None:
        prefix += ["--parent", str(parent)]
    if after_port is not None:
        prefix += ["--after-port", str(after_port)]
    if at_once:
        prefix += ["--at-once"]
    for name, value in (extra or {}).items():
        prefix += ["--set", f"{name}={value}"]
    return [*prefix, "--", *command]


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when the parent dies; survives `exec`. Linux; elsewhere nothing.

    The parent is the *thread* that forked: start parts from a thread that lives as long as they.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def await_port(port: int, seconds: float = PORT_WAIT_SECONDS) -> bool:
    """Wait until somebody listens on a port of loopback; False if nobody does in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            time.sleep(0.1)
        else:
            return True
    return False


def main(arguments: Sequence[str] | None = None) -> None:
    """Tie, then become the command."""
    parser = argparse.ArgumentParser(prog="trade_assets.local.launcher")
    parser.add_argument("--parent", type=int)
    parser.add_argument("--after-port", type=int)
    parser.add_argument("--at-once", action="store_true")
    parser.add_argument("--set", action="append", default=[], dest="variables")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    parent = os.getppid() if options.parent is None else options.parent
    die_with_parent(signal.SIGKILL if options.at_once else signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("the process that asked for this one is gone")
    if options.after_port is not None:
        await_port(options.after_port)
    # Ignored where a shell started us in the background; Dagster would ignore SIGTERM with it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.update(item.split("=", 1) for item in options.variables)
    os.execvp(options.command[0], options.command)  # noqa: S606 - becomes it, without a shell


if __name__ == "__main__":
    main()
