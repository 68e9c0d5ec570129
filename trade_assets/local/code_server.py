"""Program that runs Dagster's code server and ends its runs before it ends the server.

``python -P -m trade_assets.local.code_server COMMAND …``

Runs are children of the code server, which on SIGTERM just disappears and leaves them behind. Here
they get SIGTERM first, and time to delete what they have stored from the queue and to report.
"""

import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import psutil

from trade_assets.local.launcher import tied

RUN_STOP_SECONDS: Final = 5.0
SERVER_STOP_SECONDS: Final = 3.0


def run_processes(server_pid: int) -> list[psutil.Process]:
    """The processes that the code server started for runs."""
    try:
        children = psutil.Process(server_pid).children()
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if not _is_resource_tracker(child)]


def _is_resource_tracker(process: psutil.Process) -> bool:
    """Python's own helper of `multiprocessing`, which ends when its parent does."""
    try:
        return any("resource_tracker" in word for word in process.cmdline())
    except psutil.Error:
        return True  # gone, or about to be


def stop_runs(server_pid: int, seconds: float = RUN_STOP_SECONDS) -> None:
    """Ask all runs to end, insist after `seconds`."""
    runs = run_processes(server_pid)
    for run in runs:
        _signal(run, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(runs, timeout=seconds)
    for run in stubborn:
        _signal(run, signal.SIGKILL)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


class _Stopped(Exception):  # noqa: N818 - not an error: how SIGTERM leaves the wait
    """SIGTERM or SIGINT arrived."""


def _raise_stopped(*_: object) -> None:
    raise _Stopped


def serve(command: Sequence[str]) -> int:
    """Run the server until it ends or SIGTERM comes; the exit code to end with."""
    signal.signal(signal.SIGTERM, _raise_stopped)
    signal.signal(signal.SIGINT, _raise_stopped)
    # At SIGTERM it would go on, for as long as a run does, and share its port with the next one:
    # whose runs it takes then end with it.
    server = subprocess.Popen(tied(command, at_once=True))  # noqa: S603 - our own command, no shell
    try:
        return server.wait()
    except _Stopped:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    stop_runs(server.pid)
    server.terminate()
    try:
        server.wait(SERVER_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
    return 0


if __name__ == "__main__":
    sys.exit(serve(sys.argv[1:]))
