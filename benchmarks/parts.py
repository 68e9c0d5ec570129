"""The local parts as the benchmarks use them: fresh for each measurement, gone after it."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.scale import Scale
from trade_assets.local import leftovers
from trade_assets.local.child_process import Part, PartCommand
from trade_assets.local.dagster_home import write_instance, write_workspace
from trade_assets.local.dynalite import start_dynalite
from trade_assets.local.launcher import await_port
from trade_assets.local.ministack import start_ministack
from trade_assets.local.programs import DEFINITIONS_MODULE, dagster_programs
from trade_assets.local.redis_server import start_redis
from trade_assets.local.stack import stack_environment
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, load_settings

CHECKOUT: Final = Path(__file__).resolve().parents[1]
START_SECONDS: Final = 90.0


@dataclass(frozen=True)
class Bench:
    """What every benchmark gets: sizes, a scratch folder, its stores' programs, a listener."""

    scale: Scale
    folder: Path
    ministack_python: Path
    dynalite: Path
    say: Callable[[str], None]


@contextmanager
def running_stores(bench: Bench, name: str, **overrides: object) -> Iterator[Settings]:
    """An empty AWS stand-in, DynamoDB and Redis; yields settings that lead there.

    Configured as `trade-assets up` does it. Nothing is provisioned yet. `overrides` are settings
    by field name.
    """
    home = bench.folder / name
    ministack = start_ministack(bench.ministack_python, home / "ministack")
    try:
        with (
            start_dynalite(bench.dynalite, home / "dynamodb") as dynamodb,
            start_redis(home / "redis") as redis,
        ):
            yield load_settings(
                home=home,
                aws_endpoint_url=f"http://{LOOPBACK}:{ministack.port}",
                aws_endpoint_url_dynamodb=f"http://{LOOPBACK}:{dynamodb.port}",
                redis_url=f"redis://{LOOPBACK}:{redis.port}/0",
                **overrides,
            )
    finally:
        # A clean stop would write all tables to disk, for nobody.
        ministack.process.kill()
        ministack.process.wait()
        leftovers.sweep(home)


@contextmanager
def running_program(settings: Settings, module: str) -> Iterator[Part]:
    """A module of the benchmarks as a program of its own, which reads these settings."""
    command = PartCommand(module.rsplit(".", 1)[-1], [sys.executable, "-m", module])
    with running_command(settings, command) as part:
        yield part


@contextmanager
def running_command(settings: Settings, command: PartCommand, port: int = 0) -> Iterator[Part]:
    """A program that reads these settings; awaited until it listens, if it has a port."""
    home = settings.home_path
    environment = _environment(settings, home / "dagster")
    with Part(command, port, home / f"{command.name}.log", environment, CHECKOUT) as part:
        if port:
            part.await_ready(lambda: await_port(port, 0.1), START_SECONDS)
        yield part


@contextmanager
def running_dagster(
    settings: Settings,
    module: str = DEFINITIONS_MODULE,
    write_home: Callable[[Path], Path] = write_instance,
) -> Iterator[Path]:
    """Dagster's code server and daemon over the definitions of `module`; yields its home.

    `write_home` writes `dagster.yaml` below the home it is given. The webserver is left out: no
    data passes through it.
    """
    home = settings.home_path
    dagster_home = write_home(home)
    port = free_port()
    workspace = write_workspace(dagster_home, port)
    programs = dagster_programs(settings, workspace, port, module)
    commands = {program.name: program.command for program in programs}
    environment = _environment(settings, dagster_home)

    def start(name: str) -> Part:
        return Part(commands[name], port, home / f"{name}.log", environment, home)

    try:
        with start("code-server") as code_server:
            code_server.await_ready(lambda: await_port(port, 0.1), START_SECONDS)
            with start("daemon"):
                yield dagster_home
    finally:
        # Also what a run started and did not end itself.
        leftovers.sweep(home)


def _environment(settings: Settings, dagster_home: Path) -> dict[str, str]:
    environment = stack_environment(settings, str(dagster_home))
    # Dagster's code server drops the first entry of the path.
    environment["PYTHONPATH"] = os.pathsep.join([str(settings.home_path), str(CHECKOUT)])
    return environment
