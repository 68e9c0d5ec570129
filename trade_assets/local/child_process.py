"""A part of the local stack as one child process: how it is started, awaited and stopped."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from trade_assets.errors import LocalStackError
from trade_assets.local.launcher import tied

POLL_SECONDS: Final = 0.05
LOG_TAIL_LINES: Final = 12


@dataclass(frozen=True)
class PartCommand:
    """What to execute for a part: arguments, and what it needs in its environment besides ours.

    `after_port`: it is of no use before somebody listens on that port.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    after_port: int | None = None


def log_tail(path: Path, lines: int = LOG_TAIL_LINES) -> str:
    """The last lines of a log, indented; says so if there are none."""
    try:
        with path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - 16_384))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        text = ""
    tail = [line for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(f"    {line}" for line in tail) or "    (its log is empty)"


def wait_until(ready: Callable[[], bool], alive: Callable[[], bool], seconds: float) -> bool:
    """Poll until `ready`; False once it is not `alive` any more or `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return True
        if not alive():
            return False
        time.sleep(POLL_SECONDS)
    return False


class Part:
    """A running part. Use as a context manager, or call `stop`."""

    def __init__(
        self,
        command: PartCommand,
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start it in `folder` (default: ours), its output appended to `log`.

        `environment` replaces this process's.
        """
        self.name = command.name
        self.port = port
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                tied(command.arguments, parent=os.getpid(), extra=command.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                # A Ctrl-C at the terminal goes to the process group: parts are stopped by us.
                process_group=0,
            )

    def await_ready(self, ready: Callable[[], bool], seconds: float = 30.0) -> Self:
        """Wait for the part's own sign of readiness.

        Raises:
            LocalStackError: it ended or stayed silent; with the last lines of its log.
        """
        if wait_until(ready, lambda: self.process.poll() is None, seconds):
            return self
        code = self.process.poll()
        self.stop()
        fate = f"ended with code {code}" if code is not None else f"gave no sign in {seconds:.0f} s"
        raise LocalStackError(f"{self.name} {fate}; the end of {self.log}:\n{log_tail(self.log)}")

    def stop(self, seconds: float = 20.0) -> int:
        """Ask it to end, insist after `seconds`; its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
