"""The local stand-in for AWS: its environment, its command, and when it is ready.

ministack pins botocore exactly, so it gets an environment of its own, built once. It writes its
state (all but S3 objects, which are files) only when it is stopped cleanly.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import urllib3

from trade_assets.local.child_process import Part, PartCommand
from trade_assets.local.installing import COMPLETE, build_once, require_room, run_step
from trade_assets.local.ministack_pins import CONSTRAINTS, REQUIREMENTS, VERSION, has_the_pins
from trade_assets.ports import LOOPBACK, free_port

FOLDER_NAME: Final = f"ministack-{VERSION}"
HEALTH_PATH: Final = "/_ministack/health"
NEEDED_BYTES: Final = 400 * 1024 * 1024
"""Disk that the environment takes (250 MB measured), with room for pip's unpacking."""

_RUNNING = "running-since"  # file in the state folder, touched before every start


def environment_python(folder: Path) -> Path:
    """The interpreter of ministack's environment in `folder`."""
    return folder / "bin" / "python"


def is_built(folder: Path) -> bool:
    """Whether the environment in `folder` is complete, its interpreter still there, and every
    version in it the one that `ministack_pins` says."""
    complete = (folder / COMPLETE).exists() and environment_python(folder).exists()
    return complete and has_the_pins(folder)


def ensure_environment(folder: Path, say: Callable[[str], None] = lambda _: None) -> Path:
    """Build ministack's environment in `folder` unless it is there; returns its interpreter.

    `say` hears what is being done. A build that was broken off is started afresh; two processes
    build one after the other.

    Raises:
        LocalStackError: no network, no disk space, or pip failed otherwise.
    """

    def build() -> None:
        require_room(folder, NEEDED_BYTES, "the AWS stand-in")
        say("creating an environment for the AWS stand-in")
        run_step([sys.executable, "-m", "venv", str(folder)], "cannot create an environment")
        say(f"installing ministack {VERSION} (once, about 10 s)")
        pip = [str(environment_python(folder)), "-m", "pip", "install", "--quiet"]
        pip += ["--retries", "1", "--disable-pip-version-check", "--constraint", str(CONSTRAINTS)]
        run_step([*pip, *REQUIREMENTS], "cannot install the AWS stand-in")

    build_once(folder, lambda: is_built(folder), build)
    return environment_python(folder)


def drop_unsaved_state(state: Path) -> list[str]:
    """Remove state files that the last stop did not write; the names of those removed.

    After a hard kill the stand-in would come back with the state of some earlier stop, silently
    without what happened since. Empty it is honest: `provision` then makes the tables anew with a
    new generation, and they are rebuilt from S3. Call before every start.
    """
    state.mkdir(parents=True, exist_ok=True)
    marker = state / _RUNNING
    removed = []
    if marker.exists():
        started = marker.stat().st_mtime_ns
        for file in state.glob("*.json"):
            if file.stat().st_mtime_ns <= started:
                file.unlink()
                removed.append(file.name)
    marker.touch()
    os.utime(marker)
    return sorted(removed)


def forget_tables(folder: Path) -> None:
    """Remove the tables that a stop left in the stand-in's `folder`: another server has them now,
    and the stand-in would load and save them for ever. Call while it does not run."""
    (folder / "state" / "dynamodb.json").unlink(missing_ok=True)


def ministack_command(python: Path, folder: Path, port: int) -> PartCommand:
    """The stand-in on loopback, keeping everything it knows in `folder`."""
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    return PartCommand(
        "ministack",
        [sys.executable, "-P", "-m", "trade_assets.local.ministack", str(state), str(python)],
        {
            "BIND_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "LOG_LEVEL": "WARNING",
            "PERSIST_STATE": "1",
            "S3_DATA_DIR": str(folder / "s3"),
            "S3_PERSIST": "1",
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(state),
            "TMPDIR": str(temporary),
        },
    )


def is_healthy(port: int) -> bool:
    """Whether the stand-in on the port answers its health check."""
    try:
        answer = urllib3.request(
            "GET", f"http://{LOOPBACK}:{port}{HEALTH_PATH}", retries=False, timeout=2.0
        )
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


def start_ministack(python: Path, folder: Path, port: int | None = None) -> Part:
    """Start the stand-in with its data in `folder`, wait until healthy; default: a free port.

    Raises:
        LocalStackError: it does not start; with the last lines of its log.
    """
    chosen = port or free_port()
    command = ministack_command(python, folder, chosen)
    return Part(command, chosen, folder / "ministack.log").await_ready(lambda: is_healthy(chosen))


def _become_ministack(state: str, python: str) -> None:
    """Drop stale state, then become the stand-in (same process: signals and death reach it)."""
    removed = drop_unsaved_state(Path(state))
    if removed:
        # A log line of a part: its standard output is its log file.
        sys.stdout.write(f"last stop was not clean, starting without {', '.join(removed)}\n")
        sys.stdout.flush()
    os.execv(python, [python, "-m", "ministack"])  # noqa: S606 - becomes it, without a shell


if __name__ == "__main__":
    _become_ministack(*sys.argv[1:])
