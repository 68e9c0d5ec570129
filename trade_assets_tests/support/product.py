"""The product as a user starts it: `trade-assets up` in a process of its own, on free ports."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import urllib3

from trade_assets.local import dynalite
from trade_assets.local.leftovers import marked_processes
from trade_assets.local.ministack import FOLDER_NAME
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, child_environment, load_settings
from trade_assets_tests.support.parts import CHECKOUT, dynalite_folder, ministack_python
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

CLI = [sys.executable, "-c", "from trade_assets.cli.main import main; main()"]


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

    def says(self, words: str) -> None:
        """Wait until it has said so."""
        eventually(lambda: words in self.text() or self._ended(), f"says {words!r}")

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

    def stop(self, signal: int) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal)
        return self.process.wait(PATIENCE_SECONDS)

    def graphql(self, query: str, **variables: object) -> Any:
        """What the Dagster UI's GraphQL answers."""
        answer = urllib3.request(
            "POST",
            f"http://{LOOPBACK}:{self.settings.local.dagster_port}/graphql",
            body=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
            timeout=PATIENCE_SECONDS,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]


def product_settings(home: Path, **overrides: object) -> Settings:
    """Settings of a product of its own, on free ports, in a home whose parts are installed."""
    home.mkdir(parents=True)
    (home / FOLDER_NAME).symlink_to(ministack_python().parents[1])
    (home / dynalite.FOLDER_NAME).symlink_to(dynalite_folder())
    fields: dict[str, object] = {
        "home": home,
        "aws_endpoint_url": f"http://{LOOPBACK}:{free_port()}",
        "aws_endpoint_url_dynamodb": f"http://{LOOPBACK}:{free_port()}",
        "redis_url": f"redis://{LOOPBACK}:{free_port()}/0",
        "dagster_port": free_port(),
        "tt_simulator_port": free_port(),
        # So that the hours before the start can be materialised.
        "partitions_start": "2025-01-01-00:00",
    }
    return load_settings(**{**fields, **overrides})


def product_environment(settings: Settings, folder: Path) -> dict[str, str]:
    """Environment in which a command of the product finds these settings, and the checkout."""
    # Dagster drops the first entry of the path, so the checkout is the second.
    path = os.pathsep.join([str(folder / "none"), str(CHECKOUT)])
    return child_environment(settings, PYTHONPATH=path)


@contextmanager
def running_up(settings: Settings, folder: Path, *options: str) -> Iterator[Running]:
    """`up` in a folder that is not the checkout; ends what a failed test leaves."""
    output = folder / f"up-{len(list(folder.glob('up-*.txt')))}.txt"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*CLI, "up", *options],
            env=product_environment(settings, folder),
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    running = Running(settings, process, output)
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        for left in running.processes():
            left.kill()


def command(settings: Settings, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of the product, to its end."""
    return subprocess.run(
        [*CLI, *words],
        env=product_environment(settings, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def command_json(settings: Settings, folder: Path, words: Sequence[str]) -> Any:
    """What a command of the product prints with `--json`."""
    done = command(settings, folder, *words, "--json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
