"""When the simulated desk writes what: as a plan, in a folder, and as a command."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path

import pytest

from trade_assets.feeds.fills import FILLS
from trade_assets.feeds.registry import feed_of_file
from trade_assets.feeds.spot_risk import SPOT_RISK
from trade_assets.local.desk import runner
from trade_assets.local.desk.desk import Desk, DeskPlan
from trade_assets.local.desk.runner import JOURNAL, run_desk

COMMAND = (sys.executable, "-c", "from trade_assets.cli import main; main()", "desk")
START = datetime(2025, 7, 17, 15, tzinfo=UTC)


def files(plan: DeskPlan, count: int, start: datetime = START):
    return list(islice(Desk(plan, start), count))


def test_same_seed_same_files():
    assert files(DeskPlan(seed=3), 200) == files(DeskPlan(seed=3), 200)
    assert files(DeskPlan(seed=3), 20) != files(DeskPlan(seed=4), 20)


def test_every_file_is_one_of_a_feed_and_parses():
    broken = 0
    for file in files(DeskPlan(narrow_share=0.3, chunked_share=0.1), 400):
        feed = feed_of_file(file.file_name)
        assert feed is not None
        parsed = feed.parse(file.data, file.file_name)
        assert parsed.rows_in > 0
        assert feed is FILLS or parsed.rejected == ()
        broken += len(parsed.rejected)
    assert broken > 0


def test_cadence_and_shapes():
    found = files(DeskPlan(interval_seconds=2.0, narrow_share=0.5, chunked_share=0.2), 600)
    risk = [file for file in found if SPOT_RISK.file_pattern.fullmatch(file.file_name)]
    times = sorted({file.at for file in risk})
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(seconds=2)}
    assert any("_chunk_16_of_16" in file.file_name for file in risk)
    assert {file.data.split(b"\n", 1)[0].count(b",") for file in risk} == {8, 15}
    assert len({file.file_name for file in risk}) == len(risk)


def test_ledger_comes_only_when_it_has_changed():
    found = files(DeskPlan(trades_per_hour=240), 1_000)
    ledgers = [file for file in found if FILLS.file_pattern.fullmatch(file.file_name)]
    assert len({file.data for file in ledgers}) == len(ledgers) > 10
    assert all(b.data.startswith(a.data) for a, b in pairwise(ledgers))


def test_a_second_has_one_picture():
    found = files(DeskPlan(interval_seconds=0.25, chunked_share=0.0), 50)
    names = [file.file_name for file in found if file.file_name.startswith("bav")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("plan", [{"seed": -1}, {"interval_seconds": 0}, {"ledger_seconds": -1}])
def test_impossible_plans_are_refused(plan):
    with pytest.raises(ValueError, match=r"seed|intervals"):
        DeskPlan(**plan)


def run_some(folder: Path, count: int) -> int:
    return run_desk(
        folder, 7, 0.05, threading.Event(), max_files=count, plan=DeskPlan(interval_seconds=0.05)
    )


def test_the_folder_gets_whole_files_and_no_leftovers(tmp_path):
    assert run_some(tmp_path / "new", 3) == 3
    names = {path.name for path in (tmp_path / "new").iterdir()} - {JOURNAL}
    assert len(names) == 3
    for name in names:
        feed = feed_of_file(name)
        assert feed is not None
        assert feed.parse((tmp_path / "new" / name).read_bytes(), name).rows_in > 0


def test_old_files_of_any_simulated_desk_go_and_no_others(tmp_path, monkeypatch):
    run_some(tmp_path, 3)
    foreign = tmp_path / "bav_analysis_20250717_143331.csv"
    foreign.write_bytes(b"real")
    old = time.time() - runner.KEEP_SECONDS - 1
    first_run = {
        path.name for path in tmp_path.iterdir() if path.name not in (JOURNAL, foreign.name)
    }
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    monkeypatch.setattr(runner, "PRUNE_EVERY_SECONDS", 0.0)
    run_some(tmp_path, 4)
    left = {path.name for path in tmp_path.iterdir()}
    gone = first_run - left
    assert foreign.name in left
    assert any(SPOT_RISK.file_pattern.fullmatch(name) for name in gone)
    assert any(FILLS.file_pattern.fullmatch(name) for name in left)
    journal = (tmp_path / JOURNAL).read_text().split()
    assert gone.isdisjoint(journal)


def test_it_stops_when_told(tmp_path):
    stop_event, written = threading.Event(), []
    thread = threading.Thread(
        target=lambda: written.append(run_desk(tmp_path, 7, 0.2, stop_event)), daemon=True
    )
    thread.start()
    wait_for_files(tmp_path)
    stop_event.set()
    thread.join(10)
    assert not thread.is_alive()
    assert written[0] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_on_a_signal(tmp_path, number):
    process = subprocess.Popen(
        [*COMMAND, tmp_path],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_files(tmp_path)
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "stopped after" in errors
    assert "Traceback" not in errors


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = subprocess.run(
        [*COMMAND, tmp_path / "file"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "the desk cannot write to" in done.stderr
    assert "Traceback" not in done.stderr


def wait_for_files(folder: Path) -> None:
    deadline = time.monotonic() + 30
    while not any(path.name.startswith("bav_") for path in folder.iterdir()):
        assert time.monotonic() < deadline, "the desk wrote nothing"
        threading.Event().wait(0.05)
