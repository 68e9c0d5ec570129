"""`trade-assets up` as a user starts it: what it starts, heals, and leaves behind (nothing)."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import urllib3

from trade_assets.local.leftovers import marked_processes
from trade_assets.local.ministack import FOLDER_NAME
from trade_assets.local.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, child_environment, load_settings
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import CHECKOUT, ministack_python
from trade_assets_tests.support.waiting import eventually

pytestmark = pytest.mark.integration

UP = [sys.executable, "-c", "from trade_assets.cli import main; main()", "up", "--no-simulator"]
TINY = ["--module", "trade_assets_tests.support.tiny_definitions"]


@dataclass
class Running:
    """A running `up`."""

    settings: Settings
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def home(self) -> Path:
        return self.settings.home_path

    def text(self) -> str:
        return self.output.read_text()

    def says(self, words: str, seconds: float = 40.0) -> None:
        """Wait until it has said so."""
        eventually(lambda: words in self.text() or self._ended(), seconds, f"says {words!r}")

    def _ended(self) -> bool:
        assert self.process.poll() is None, self.text()
        return False

    def program(self, word: str) -> psutil.Process | None:
        """The started process that has this word in its command line."""
        return next((item for item in self.processes() if word in item.cmdline()), None)

    def processes(self) -> list[psutil.Process]:
        return marked_processes(self.home)

    def file(self, name: str) -> bool:
        return (self.home / name).exists()


@pytest.fixture
def stack_settings(tmp_path: Path) -> Settings:
    """Settings of a stack of its own, on free ports, in a home whose ministack is built."""
    home = tmp_path / "a home % with odd characters"
    home.mkdir()
    (home / FOLDER_NAME).symlink_to(ministack_python().parents[1])
    return load_settings(
        home=home,
        aws_endpoint_url=f"http://{LOOPBACK}:{free_port()}",
        redis_url=f"redis://{LOOPBACK}:{free_port()}/0",
        dagster_port=free_port(),
    )


@pytest.fixture
def start(stack_settings: Settings, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    """Starts `up` in a folder that is not the checkout; ends what a failed test leaves."""
    # Dagster drops the first entry of the path, so the checkout is the second.
    path = os.pathsep.join([str(tmp_path / "none"), str(CHECKOUT)])
    started: list[Running] = []

    def begin() -> Running:
        output = tmp_path / f"up-{len(started)}.txt"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [*UP, *TINY],
                env=child_environment(stack_settings, PYTHONPATH=path),
                cwd=tmp_path,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        started.append(Running(stack_settings, process, output))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait()
        for process in running.processes():
            process.kill()


def _page(settings: Settings) -> int:
    return urllib3.request("GET", f"http://{LOOPBACK}:{settings.dagster_port}/server_info").status


def test_up_heals_a_killed_store_and_stops_without_a_trace(start: Callable[[], Running]) -> None:
    running = start()
    running.says("Dagster UI  ")
    assert _page(running.settings) == 200
    eventually(lambda: running.file("run-started"), 40, "a run is under way")

    before = provision(running.settings).generation
    ministack = running.program("ministack")
    assert ministack
    ministack.kill()
    running.says("ministack: is back and lost its tables")
    assert provision(running.settings).generation != before

    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(60) == 0, running.text()
    assert running.processes() == []
    assert running.file("run-ended")  # the run was asked to end, and given the time
    assert "Traceback" not in running.text()


def test_a_killed_up_takes_everything_along_and_the_next_one_starts(
    start: Callable[[], Running],
) -> None:
    first = start()
    first.says("programs run")
    generation = provision(first.settings).generation
    first.process.kill()

    second = start()  # finds the first one's processes on their way out, and waits for them
    second.says("programs run")
    assert "left behind" in second.text()
    assert provision(second.settings).generation == generation  # its stop was clean all the same
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(60) == 0, second.text()
    assert second.processes() == []


@contextmanager
def _taken(port: int) -> Iterator[None]:
    with socket.create_server((LOOPBACK, port)):
        yield


def test_a_taken_port_is_one_clear_line(
    stack_settings: Settings, start: Callable[[], Running]
) -> None:
    with _taken(stack_settings.dagster_port):
        running = start()
        assert running.process.wait(30) == 1
    said = running.text().strip().splitlines()
    assert len(said) == 1
    for part in (str(stack_settings.dagster_port), "Dagster UI", "TRADE_ASSETS_DAGSTER_PORT"):
        assert part in said[0]
    assert running.processes() == []
