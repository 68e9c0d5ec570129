"""One `up` at a time for a home, and processes that an earlier one may have left behind.

Every process of the stack carries the home in its environment (`MARKER`), so that even one that
lost its parent is recognised as ours.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from trade_assets.errors import LocalStackError

MARKER: Final = "TRADE_ASSETS_UP"
"""Environment variable of the stack's processes: the absolute home they belong to."""

_STORES: Final = ("ministack", "dynalite", "redis", "valkey")

ORDERLY_SECONDS: Final = 30.0
"""How long a supervisor that lost its `up` gets: it stops its programs in order."""


@contextmanager
def only_one(run_folder: Path) -> Iterator[None]:
    """Hold the home's lock; the kernel drops it when this process ends, however it ends.

    Raises:
        LocalStackError: another `up` of the same home is running.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    with (run_folder / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise LocalStackError(
                f"`trade-assets up` already runs for {run_folder.parent} (pid {lock.read()}); "
                "stop it there, or choose another TRADE_ASSETS_HOME for a second stack"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def marked_processes(home: Path) -> list[psutil.Process]:
    """Every process that carries this home's marker, but for this one."""
    found = []
    for process in psutil.process_iter():
        # Processes of other users are not readable, and not ours.
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == str(home) and process.pid != os.getpid():
                found.append(process)
    return found


def _is_supervisor(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "supervisor.supervisord" in process.cmdline()
    return False


def wait_gone(home: Path, seconds: float) -> Sequence[psutil.Process]:
    """Wait until no marked process is left; those that still are after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        left = marked_processes(home)
        if not left or time.monotonic() >= deadline:
            return left
        psutil.wait_procs(left, timeout=0.3)


def sweep(home: Path, seconds: float = 5.0) -> int:
    """End every marked process: SIGTERM, and after `seconds` SIGKILL; how many there were."""
    found = marked_processes(home)
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in wait_gone(home, seconds) if found else ():
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    return len(found)


def kill(home: Path, *, spare_stores: bool) -> None:
    """SIGKILL every marked process at once.

    With `spare_stores` the stores and their supervisor live on, to end in order.
    """
    for process in marked_processes(home):
        with contextlib.suppress(psutil.Error):
            if not (spare_stores and _is_spared(process)):
                process.kill()


def _is_spared(process: psutil.Process) -> bool:
    words = process.cmdline()
    is_store = any(name in word for word in words for name in _STORES)
    return is_store or _is_supervisor(process)


def stop_leftovers(home: Path) -> int:
    """End what an earlier, killed `up` left behind, in order where its supervisor still lives.

    Call with the lock held. Returns how many processes there were.
    """
    found = marked_processes(home)
    supervisors = [process for process in found if _is_supervisor(process)]
    for process in supervisors:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    if supervisors:
        wait_gone(home, ORDERLY_SECONDS)
    sweep(home, seconds=10.0)
    return len(found)
