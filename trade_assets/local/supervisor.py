"""supervisord, the keeper of the stack's programs: its configuration, process and answers."""

import os
import shlex
import sys
import tempfile
import xmlrpc.client
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from supervisor.xmlrpc import SupervisorTransport

from trade_assets.errors import LocalStackError
from trade_assets.local.child_process import Part, PartCommand
from trade_assets.local.launcher import tied
from trade_assets.local.programs import Program, StackPaths

LOG_BYTES: Final = "10MB"
LOG_BACKUPS: Final = 3
START_SECONDS: Final = 2
"""A program that ends sooner than this has not started."""
START_RETRIES: Final = 5
_LONGEST_SOCKET_PATH: Final = 90  # the kernel's bound is 108, supervisord adds its pid meanwhile
_UNREACHABLE = (OSError, HTTPException, xmlrpc.client.Error)


@dataclass(frozen=True, slots=True)
class ProgramState:
    """What supervisord says of a program."""

    name: str
    state: str
    pid: int
    exit_code: int

    @property
    def is_running(self) -> bool:
        """It runs, or is within its first seconds."""
        return self.state in {"RUNNING", "STARTING"}

    @property
    def is_given_up(self) -> bool:
        """It ended again and again, and is not restarted any more."""
        return self.state == "FATAL"


def _escaped(text: str) -> str:
    return text.replace("%", "%%")  # supervisord expands %(…)s


def _program_section(program: Program, paths: StackPaths) -> str:
    part = program.command
    command = tied(part.arguments, extra=part.environment, after_port=part.after_port)
    lines = {
        "command": _escaped(shlex.join(command)),
        "priority": program.priority,
        "autostart": str(program.is_store).lower(),
        "autorestart": "true",
        "startsecs": START_SECONDS,
        "startretries": START_RETRIES,
        "stopsignal": "TERM",
        "stopwaitsecs": program.stop_seconds,
        # The code server's runs are its group: its program ends them itself, in order.
        "stopasgroup": str(program.name != "code-server").lower(),
        "killasgroup": "true",
        "redirect_stderr": "true",
        # Relative to the home, in which supervisord runs: it expands this one name twice.
        "stdout_logfile": str(paths.log(program.name).relative_to(paths.home)),
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": LOG_BACKUPS,
    }
    body = "".join(f"{name}={value}\n" for name, value in lines.items())
    return f"[program:{program.name}]\n{body}"


def render(programs: Sequence[Program], paths: StackPaths, socket: Path) -> str:
    """supervisord's configuration: these programs, and a control socket for this user alone."""
    main = {
        "nodaemon": "true",
        "silent": "true",
        "logfile": _escaped(str(paths.log("supervisord"))),
        "logfile_maxbytes": LOG_BYTES,
        "logfile_backups": LOG_BACKUPS,
        "pidfile": _escaped(str(paths.run / "supervisord.pid")),
        "childlogdir": _escaped(str(paths.logs)),
        "identifier": "trade-assets",
    }
    if os.getuid() == 0:
        main["user"] = "root"  # else it warns that it runs as root, where that is the only user
    interface = "supervisor.rpcinterface:make_main_rpcinterface"
    return "\n".join(
        [
            "[supervisord]\n" + "".join(f"{name}={value}\n" for name, value in main.items()),
            f"[unix_http_server]\nfile={_escaped(str(socket))}\nchmod=0600\n",
            f"[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory={interface}\n",
            *(_program_section(program, paths) for program in programs),
        ]
    )


def socket_path(run_folder: Path) -> Path:
    """Path of the control socket: in the run folder, or a short one where that is too long."""
    path = run_folder / "supervisor.sock"
    if len(str(path).encode()) <= _LONGEST_SOCKET_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="trade-assets-")) / "supervisor.sock"


class Supervisor:
    """A running supervisord and its programs. Programs that are no stores wait for `start`."""

    def __init__(
        self, programs: Sequence[Program], paths: StackPaths, environment: Mapping[str, str]
    ) -> None:
        paths.run.mkdir(parents=True, exist_ok=True)
        paths.logs.mkdir(parents=True, exist_ok=True)
        self._paths = paths
        self._socket = socket_path(paths.run)
        configuration = paths.run / "supervisord.conf"
        configuration.write_text(render(programs, paths, self._socket))
        command = [sys.executable, "-P", "-W", "ignore", "-m", "supervisor.supervisord"]
        self._part = Part(
            PartCommand("supervisord", [*command, "--configuration", str(configuration)]),
            port=0,
            log=paths.log("supervisord-start"),
            environment=environment,
            folder=paths.home,
        )

    def await_ready(self) -> None:
        """Wait until it answers.

        Raises:
            LocalStackError: it does not start; with the end of its log.
        """
        self._part.await_ready(lambda: self.states() is not None)

    def _call(self, method: str, *arguments: Any) -> Any:
        # A transport a call: supervisord closes idle connections, which a kept one trips over.
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        finally:
            transport.close()

    def states(self) -> dict[str, ProgramState] | None:
        """Every program by name; None while supervisord does not answer (starting, stopping)."""
        try:
            answer = self._call("getAllProcessInfo")
        except _UNREACHABLE:
            return None
        return {
            item["name"]: ProgramState(
                item["name"], item["statename"], item["pid"], item["exitstatus"]
            )
            for item in answer
        }

    def start(self, name: str) -> None:
        """Start a program without waiting for it; nothing if it runs.

        Raises:
            LocalStackError: supervisord does not answer.
        """
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise LocalStackError(f"cannot start {name}: {fault.faultString}") from None
        except _UNREACHABLE as error:
            raise LocalStackError(f"cannot start {name}: supervisord: {error}") from None

    def restart(self, name: str) -> None:
        """Ask a program to end, without waiting: supervisord starts it again. Nothing if it cannot
        be asked, for then it is starting or stopping anyway."""
        with suppress(*_UNREACHABLE):
            self._call("signalProcess", name, "TERM")

    def is_alive(self) -> bool:
        """Whether supervisord itself runs."""
        return self._part.process.poll() is None

    def stop(self, seconds: float) -> None:
        """Stop every program in order, then supervisord; insist after `seconds`."""
        self._part.stop(seconds)
        if self._socket.parent != self._paths.run and self._socket.parent.exists():
            self._socket.unlink(missing_ok=True)
            self._socket.parent.rmdir()
