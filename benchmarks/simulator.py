"""The TT simulator as a program of its own, and what it says of the requests that it got."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import urllib3

from benchmarks.figures import BenchmarkError
from benchmarks.parts import running_command
from trade_assets.local.child_process import PartCommand
from trade_assets.local.programs import tt_programs
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings

REQUESTS_KEPT: Final = 2_000
"""So many the simulator remembers."""


def simulator_url() -> str:
    """Where a simulator can be put: to be the setting `tt_base_url` of all who ask it."""
    return f"http://{LOOPBACK}:{free_port()}"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the simulator got: when it came (UTC), for what, and what it answered."""

    at: datetime
    path: str
    status: int


@dataclass(frozen=True)
class Simulator:
    """A running simulator."""

    url: str

    def requests(self) -> list[Asked]:
        """The last requests, oldest first.

        Raises:
            BenchmarkError: it does not answer.
        """
        url = f"{self.url}/simulator/requests?last={REQUESTS_KEPT}"
        answer = urllib3.request("GET", url, retries=False, timeout=30.0)
        if answer.status != 200:
            raise BenchmarkError(f"the TT simulator: HTTP {answer.status}")
        return [
            Asked(datetime.fromtimestamp(entry["at_ns"] / 1e9, UTC), entry["path"], entry["status"])
            for entry in answer.json()["recent"]
        ]


@contextmanager
def running_simulator(settings: Settings, *options: str) -> Iterator[Simulator]:
    """The simulator at `settings.tt_url`, with options of `trade-assets tt-simulator`.

    Its key is in the stand-in's Secrets Manager: the settings must be provisioned.
    """
    port = urlsplit(settings.tt_url).port or 80
    (program,) = tt_programs()
    arguments = [*program.command.arguments, "--port", str(port), *options]
    with running_command(settings, PartCommand(program.name, arguments), port):
        yield Simulator(settings.tt_url)
