"""TCP ports of this machine: which are free, and who holds those that are not.

For the local stack and the simulators, and the tests of both (it needs the extra `local`).
"""

import contextlib
import socket
from dataclasses import dataclass
from typing import Final

import psutil

from trade_assets.errors import PortInUseError

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class PortNeed:
    """A port that a part listens on: what it is for, and the setting that moves it."""

    port: int
    purpose: str
    setting: str


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a part could listen on the port of the loopback interface."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str | None:
    """The process that listens on the port, as "name (pid N)"; None where it cannot be known."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if listening and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return None


def require_free(need: PortNeed) -> None:
    """Check that a part can have its port.

    Raises:
        PortInUseError: naming the port, its purpose, who holds it and the setting that moves it.
    """
    if is_free(need.port):
        return
    who = holder(need.port)
    held = f"{who} listens on it" if who else "another process listens on it"
    raise PortInUseError(
        f"port {need.port} is needed for {need.purpose}, but {held}; "
        f"stop that process, or choose another port with {need.setting}"
    )
