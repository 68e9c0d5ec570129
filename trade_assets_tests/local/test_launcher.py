"""Processes that are tied to their parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from trade_assets.errors import LocalStackError
from trade_assets.local.child_process import Part, PartCommand, log_tail
from trade_assets.local.launcher import await_port, tied
from trade_assets.ports import free_port
from trade_assets_tests.support.waiting import eventually

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_tied_process_dies_with_its_parent(how: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, *tied(SLEEPER)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "up\n"
        parent.send_signal(how)
        parent.wait()
        eventually(lambda: _has_ended(child))


def test_a_process_that_takes_its_time_dies_at_once_where_it_shall() -> None:
    stubborn = SLEEPER[2].replace(
        "import time;", "import signal, time; signal.signal(15, lambda *_: 0);"
    )
    command = [sys.executable, "-c", PARENT, *tied([*SLEEPER[:2], stubborn], at_once=True)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert parent.stdout.readline() == "up\n"
        parent.kill()
        parent.wait()
        eventually(lambda: _has_ended(child))


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it went between the two questions
        return True


def test_a_process_whose_asker_is_gone_does_not_start() -> None:
    somebody_else = os.getpid() + 1
    done = subprocess.run(
        tied(SLEEPER, parent=somebody_else), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "gone" in done.stderr


def test_extra_variables_reach_the_command() -> None:
    show = [sys.executable, "-c", "import os; print(os.environ['A_NAME'])"]
    done = subprocess.run(
        tied(show, extra={"A_NAME": "a=b c"}), capture_output=True, text=True, check=True
    )
    assert done.stdout == "a=b c\n"


def test_what_is_started_in_the_background_can_still_be_interrupted() -> None:
    show = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    ignoring = f"""
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.exit(subprocess.call({tied([sys.executable, "-c", show])!r}))
"""
    command = [sys.executable, "-c", ignoring]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_waiting_for_a_port_ends_when_nobody_comes() -> None:
    begun = time.monotonic()
    assert not await_port(free_port(), seconds=0.2)
    assert time.monotonic() >= begun + 0.2


def test_a_part_that_ends_early_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = PartCommand("bad", [sys.executable, "-c", "import sys; sys.exit('no such thing')"])
    part = Part(command, 0, tmp_path / "bad.log")
    with pytest.raises(LocalStackError, match=r"bad ended with code 1(.|\n)*no such thing"):
        part.await_ready(lambda: False)


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert "empty" in log_tail(log)
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    assert log_tail(log, lines=2) == "    line 4998\n    line 4999"
