"""The TT simulator as a process of its own, on a free port."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import urllib3

from trade_assets.settings import Settings
from trade_assets_tests.support.product import CLI, product_environment
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

_SAYS = re.compile(r"TT simulator: (http://127\.0\.0\.1:(\d+))\n")
STOP_SECONDS = 20


@dataclass
class Simulator:
    """A running simulator.

    `settings` are those it was started with, but with it as their TT.
    """

    url: str
    port: int
    settings: Settings
    process: subprocess.Popen[bytes]
    output: Path

    def fault(self, **fault: object) -> int:
        """Switch a fault on, as `/simulator/faults` takes it; its number."""
        return int(self._control("POST", "faults", fault)["number"])

    def clear(self) -> None:
        """Switch all faults off."""
        self._control("DELETE", "faults")

    def faults(self) -> list[dict[str, Any]]:
        """The faults that are on."""
        return list(self._control("GET", "faults")["faults"])

    def requests(self, last: int = 2000) -> dict[str, Any]:
        """Counters, and the last requests (`recent`)."""
        return self._control("GET", f"requests?last={last}")

    def fills(self, count: int, same_ns: int = 1) -> int:
        """Let `count` fills happen now, `same_ns` in each nanosecond; the first one's ns."""
        return int(self._control("POST", "fills", {"count": count, "same_ns": same_ns})["first_ns"])

    def text(self) -> str:
        """What the process has said."""
        return self.output.read_text()

    def stop(self) -> int:
        """End the process as the supervisor does; its exit code."""
        self.process.terminate()
        return self.process.wait(STOP_SECONDS)

    def _control(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = urllib3.request(
            method,
            f"{self.url}/simulator/{path}",
            body=None if body is None else json.dumps(body).encode(),
            retries=False,
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status < 300, answer.data
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def running_simulator(settings: Settings, *args: str) -> Iterator[Simulator]:
    """A simulator with these settings and options of `tt-simulator`, for as long as the context
    lasts. Its key is in the settings' Secrets Manager (`provisioned` settings have one)."""
    folder = settings.home_path
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"tt-simulator-{uuid4().hex[:8]}.txt"
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [*CLI, "tt-simulator", "--port", "0", *args],
            env=product_environment(settings, folder),
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        address = eventually(lambda: _address(process, output), "the simulator serves")
        assert address
        url, port = address
        with_it = settings.changed({"tt_base_url": url})
        yield Simulator(url, port, with_it, process, output)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], output: Path) -> tuple[str, int] | None:
    said = output.read_text()
    assert process.poll() is None, said
    found = _SAYS.search(said)
    return (found[1], int(found[2])) if found else None
