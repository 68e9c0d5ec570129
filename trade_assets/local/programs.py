"""The programs of the local stack: what each is for, its command, and the order they stop in."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from trade_assets.local.child_process import PartCommand
from trade_assets.local.dagster_home import LOCATION_NAME
from trade_assets.local.dynalite import dynalite_command
from trade_assets.local.ministack import ministack_command
from trade_assets.local.redis_server import redis_command
from trade_assets.ports import LOOPBACK
from trade_assets.settings import LOCAL_AWS_PORT, AwsService, Settings

CODE_SERVER: Final = "code-server"
DEFINITIONS_MODULE: Final = "trade_assets.definitions"
_PYTHON: Final = (sys.executable, "-P")
_CLI: Final = (*_PYTHON, "-c", "from trade_assets.cli.main import main; main()")


@dataclass(frozen=True)
class Program:
    """A supervised program. Programs stop in descending `priority`, one after the other."""

    command: PartCommand
    title: str
    priority: int
    stop_seconds: int = 8
    is_store: bool = False

    @property
    def name(self) -> str:
        """Its name in the supervisor, its log and the status line."""
        return self.command.name


@dataclass(frozen=True)
class StackPaths:
    """Where the local stack keeps what, below the absolute home."""

    home: Path

    @property
    def run(self) -> Path:
        """Files of the running stack: lock, supervisor's configuration, workspace."""
        return self.home / "run"

    @property
    def logs(self) -> Path:
        """A log per program."""
        return self.home / "logs"

    @property
    def outbox(self) -> Path:
        """Where the simulated desk writes and the push agent watches."""
        return self.home / "desk" / "outbox"

    @property
    def tables(self) -> Path:
        """DynamoDB's files."""
        return self.home / "dynamodb"

    def log(self, program: str) -> Path:
        """The log of a program."""
        return self.logs / f"{program}.log"


def aws_port(settings: Settings) -> int:
    """Port of the AWS stand-in, from the endpoint."""
    return urlsplit(settings.aws_endpoint or "").port or LOCAL_AWS_PORT


def dynamodb_port(settings: Settings) -> int | None:
    """Port of the local DynamoDB; None where the settings leave DynamoDB to the AWS stand-in."""
    port = urlsplit(settings.aws_endpoint_of(AwsService.DYNAMODB) or "").port
    return None if port == aws_port(settings) else port


def redis_port(settings: Settings) -> int:
    """Port of Redis, from its URL."""
    return urlsplit(settings.stores.redis_url.get_secret_value()).port or 6379


def redis_password(settings: Settings) -> str | None:
    """Password of Redis, from its URL."""
    return urlsplit(settings.stores.redis_url.get_secret_value()).password


def store_programs(
    settings: Settings, ministack_python: Path, dynalite: Path | None
) -> list[Program]:
    """The stores: they start first and stop last. Without dynalite the stand-in has the tables."""
    home = settings.home_path
    password = redis_password(settings)
    port = dynamodb_port(settings)
    on_disk = []
    if dynalite is not None and port is not None:
        command = dynalite_command(dynalite, StackPaths(home).tables, port)
        on_disk = [Program(command, "DynamoDB", priority=15, is_store=True)]
    return [
        *on_disk,
        Program(
            ministack_command(ministack_python, home / "ministack", aws_port(settings)),
            "AWS stand-in",
            priority=10,
            # It saves its state: with tables half a minute an hour of the simulated desk.
            stop_seconds=20 if on_disk else 240,
            is_store=True,
        ),
        Program(
            redis_command(home / "redis", redis_port(settings), password=password),
            "Redis",
            priority=20,
            stop_seconds=15,
            is_store=True,
        ),
    ]


def dagster_programs(
    settings: Settings, workspace: Path, code_server_port: int, module: str = DEFINITIONS_MODULE
) -> list[Program]:
    """Dagster: one code server, shared by the webserver and the daemon."""
    code_server = [
        *(*_PYTHON, "-m", "trade_assets.local.code_server"),
        *(*_PYTHON, "-m", "dagster", "api", "grpc", "--host", LOOPBACK),
        *("--port", str(code_server_port), "--module-name", module),
        *("--location-name", LOCATION_NAME, "--empty-working-directory"),
    ]
    webserver = [
        *(*_PYTHON, "-m", "dagster_webserver", "--host", LOOPBACK),
        *("--port", str(settings.local.dagster_port), "--workspace", str(workspace)),
    ]
    # The module that `dagster dev` itself starts; the script `dagster-daemon` need not be in PATH.
    daemon = [*_PYTHON, "-m", "dagster._daemon", "run", "--workspace", str(workspace)]
    # Started before the code server answers, both would log a failure and look again 5 s later.
    after = code_server_port
    return [
        Program(PartCommand(CODE_SERVER, code_server), "Dagster code server", 30, 15),
        Program(PartCommand("webserver", webserver, after_port=after), "Dagster UI", 40),
        Program(PartCommand("daemon", daemon, after_port=after), "Dagster daemon", 50),
    ]


def desk_programs(outbox: Path) -> list[Program]:
    """The simulated desk, and the push agent that uploads what it writes."""
    return [
        Program(PartCommand("push", [*_CLI, "push", str(outbox)]), "push agent", 60),
        Program(PartCommand("desk", [*_CLI, "desk", str(outbox)]), "simulated desk", 70),
    ]


def tt_programs() -> list[Program]:
    """The simulated TT, on the settings' port. It answers runs: it stops after the code server,
    which ends them, or their slots would fail and the breaker be left open for the next start."""
    return [Program(PartCommand("tt", [*_CLI, "tt-simulator"]), "TT simulator", 25)]
