"""One `up` at a time, and processes left behind by an earlier one."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trade_assets.errors import LocalStackError
from trade_assets.local.leftovers import (
    MARKER,
    kill,
    marked_processes,
    only_one,
    stop_leftovers,
    sweep,
)
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

POLITE = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {POLITE}"


def _start(home: Path, program: str, *words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, *words],
        env={**os.environ, MARKER: str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return process


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """One process that ends when asked, one that does not, two that look like stores."""
    processes = [
        _start(tmp_path, POLITE),
        _start(tmp_path, STUBBORN),
        _start(tmp_path, STUBBORN, "-m", "ministack"),
        _start(tmp_path, STUBBORN, "node_modules/dynalite/cli.js"),
    ]
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def test_only_the_processes_of_this_home_are_recognised(
    tmp_path: Path, left_behind: list[subprocess.Popen[str]]
) -> None:
    found = {process.pid for process in marked_processes(tmp_path)}
    assert found == {process.pid for process in left_behind}
    assert marked_processes(tmp_path / "another") == []


def test_sweep_ends_the_stubborn(tmp_path: Path, left_behind: list[subprocess.Popen[str]]) -> None:
    assert sweep(tmp_path, seconds=0.5) == len(left_behind)
    _, *stubborn = [process.wait(PATIENCE_SECONDS) for process in left_behind]
    assert stubborn == [-signal.SIGKILL] * 3


def test_sweep_leaves_the_polite_their_time(tmp_path: Path) -> None:
    polite = _start(tmp_path, POLITE)
    assert sweep(tmp_path, seconds=PATIENCE_SECONDS) == 1
    # The sweep may have waited for our child and taken its exit code, which then reads as 0.
    assert polite.wait(PATIENCE_SECONDS) in (-signal.SIGTERM, 0)
    polite.communicate()


def test_hurrying_spares_the_stores_first(
    tmp_path: Path, left_behind: list[subprocess.Popen[str]]
) -> None:
    kill(tmp_path, spare_stores=True)
    polite, stubborn, *stores = left_behind
    assert {polite.wait(PATIENCE_SECONDS), stubborn.wait(PATIENCE_SECONDS)} == {-signal.SIGKILL}
    assert [store.poll() for store in stores] == [None, None]
    kill(tmp_path, spare_stores=False)
    assert [store.wait(PATIENCE_SECONDS) for store in stores] == [-signal.SIGKILL, -signal.SIGKILL]


def test_nothing_left_behind_is_nothing_to_stop(tmp_path: Path) -> None:
    assert stop_leftovers(tmp_path) == 0


def test_a_second_start_of_the_same_home_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    run_folder = tmp_path / "run"
    with (
        only_one(run_folder),
        pytest.raises(LocalStackError, match=f"already runs.*pid {os.getpid()}"),
        only_one(run_folder),
    ):
        pytest.fail("two at a time")
    with only_one(run_folder):
        assert (run_folder / "up.lock").read_text() == str(os.getpid())
