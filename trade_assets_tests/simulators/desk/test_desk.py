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

from trade_assets.datasets.dataset import Feed, to_records
from trade_assets.datasets.registry import feed_of_file
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.eod import EOD
from trade_assets.feeds.formats.futures_settlement import FUTURES_SETTLEMENT
from trade_assets.feeds.formats.options_settlement import OPTIONS_SETTLEMENT
from trade_assets.feeds.formats.pnl_grid import PNL_GRID
from trade_assets.feeds.formats.sod import SOD
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.ingest.quality import TickFindings, find_off_ticks
from trade_assets.simulators.desk import runner
from trade_assets.simulators.desk.desk import Desk, DeskFile, DeskPlan
from trade_assets.simulators.desk.runner import JOURNAL, run_desk
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

COMMAND = (sys.executable, "-c", "from trade_assets.cli.main import main; main()", "desk")
START = datetime(2025, 7, 17, 15, tzinfo=UTC)


def files(plan: DeskPlan, count: int, start: datetime = START) -> list[DeskFile]:
    return list(islice(Desk(plan, start), count))


def test_same_seed_same_files() -> None:
    assert files(DeskPlan(seed=3), 200) == files(DeskPlan(seed=3), 200)
    assert files(DeskPlan(seed=3), 20) != files(DeskPlan(seed=4), 20)


@pytest.mark.parametrize("start", [START, datetime(2026, 11, 22, 4, tzinfo=UTC)])  # a Sunday
def test_every_file_is_one_of_a_feed_and_parses_and_every_symbol_and_tick_is_right(
    start: datetime,
) -> None:
    broken, seen = 0, set()
    for file in files(DeskPlan(narrow_share=0.3, chunked_share=0.1), 400, start):
        feed = feed_of_file(file.file_name)
        assert feed is not None
        parsed = feed.parse(file.data, file.file_name)
        assert parsed.rows_in > 0
        assert parsed.unknown_columns == ()
        assert parsed.frame["instrument_id"].null_count() == 0
        assert find_off_ticks(feed, to_records(feed, parsed, file.file_name)) == TickFindings()
        bad = [row for row in parsed.rejected if not row.duplicate]
        assert feed is FILLS or not bad
        assert feed is OPTIONS_SETTLEMENT or len(bad) == len(parsed.rejected)
        broken += len(bad)
        seen.add(feed.path)
    assert broken > 0
    assert seen == set(FEEDS)


def test_cadence_and_shapes() -> None:
    found = files(DeskPlan(interval_seconds=2.0, narrow_share=0.5, chunked_share=0.2), 600)
    risk = [file for file in found if SPOT_RISK.file_pattern.fullmatch(file.file_name)]
    times = sorted({file.at for file in risk})
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(seconds=2)}
    assert any("_chunk_16_of_16" in file.file_name for file in risk)
    assert {file.data.split(b"\n", 1)[0].count(b",") for file in risk} == {8, 15}
    assert len({file.file_name for file in risk}) == len(risk)


def test_ledger_comes_only_when_it_has_changed() -> None:
    found = files(DeskPlan(trades_per_hour=240), 1_000)
    ledgers = [file for file in found if FILLS.file_pattern.fullmatch(file.file_name)]
    assert len({file.data for file in ledgers}) == len(ledgers) > 10
    assert all(b.data.startswith(a.data) for a, b in pairwise(ledgers))


def test_files_of_an_interval_come_at_the_start_and_then_by_the_clock() -> None:
    plan = DeskPlan(interval_seconds=5.0, chunked_share=0.0, vtexp_seconds=120.0, grid_seconds=60.0)
    found = files(plan, 200, START + timedelta(seconds=35))
    for feed, seconds in ((VTEXP, 120), (PNL_GRID, 60)):
        first, *others = times_of(feed, found)
        assert first == START + timedelta(seconds=35)
        assert [at.timestamp() % seconds for at in others] == [0.0] * len(others)
        assert {later - earlier for earlier, later in pairwise(others)} == {
            timedelta(seconds=seconds)
        }


def test_daily_files_come_at_the_start_and_when_they_fall_due() -> None:
    plan = DeskPlan(interval_seconds=60.0, chunked_share=0.0, eod_expiries=2)
    found = files(plan, 1_200)
    for feed in (EOD, FUTURES_SETTLEMENT, OPTIONS_SETTLEMENT):
        assert times_of(feed, found) == [START, datetime(2025, 7, 17, 21, tzinfo=UTC)]
    assert times_of(SOD, found) == [START, datetime(2025, 7, 17, 22, tzinfo=UTC)]
    names = {file.file_name for file in found}
    assert names >= {
        "GE_XCME.ZN_20250716_160000.json",
        "GE_XCME.ZN_20250717_160000.json",
        "Futures_20250716_1600.csv",
        "Options_20250717_1600.csv",
        "SOD_20250717.csv",
        "SOD_20250718.csv",
    }


def test_a_restart_on_the_same_day_writes_the_same_daily_files() -> None:
    daily = [EOD, SOD, FUTURES_SETTLEMENT, OPTIONS_SETTLEMENT]
    first, second = (
        {
            file.file_name: file.data
            for file in files(DeskPlan(), 20, start)
            if feed_of_file(file.file_name) in daily
        }
        for start in (START, START + timedelta(hours=5))
    )
    assert first == second
    assert len(first) == len(daily)


def times_of(feed: Feed, found: list[DeskFile]) -> list[datetime]:
    return [file.at for file in found if feed.file_pattern.fullmatch(file.file_name)]


def test_a_second_has_one_picture() -> None:
    found = files(DeskPlan(interval_seconds=0.25, chunked_share=0.0), 50)
    names = [file.file_name for file in found if file.file_name.startswith("bav")]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "plan",
    [
        {"seed": -1},
        {"interval_seconds": 0},
        {"ledger_seconds": -1},
        {"vtexp_seconds": 0},
        {"grid_seconds": -1},
        {"eod_expiries": 1},
    ],
)
def test_impossible_plans_are_refused(plan: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"seed|intervals|expiries"):
        DeskPlan(**plan)


def run_some(folder: Path, count: int) -> int:
    return run_desk(
        folder,
        7,
        0.05,
        threading.Event(),
        max_files=count,
        plan=DeskPlan(interval_seconds=0.05, chunked_share=0.0, eod_expiries=2),
    )


ONE_OF_EACH = 8
"""Files of a desk's first second."""


def test_the_folder_gets_whole_files_and_no_leftovers(tmp_path: Path) -> None:
    assert run_some(tmp_path / "new", ONE_OF_EACH) == ONE_OF_EACH
    names = {path.name for path in (tmp_path / "new").iterdir()} - {JOURNAL}
    assert len(names) == ONE_OF_EACH
    for name in names:
        feed = feed_of_file(name)
        assert feed is not None
        assert feed.parse((tmp_path / "new" / name).read_bytes(), name).rows_in > 0


def test_old_files_of_any_simulated_desk_go_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_some(tmp_path, ONE_OF_EACH + 1)
    foreign = tmp_path / "bav_analysis_20250717_143331.csv"
    foreign.write_bytes(b"real")
    old = time.time() - runner.KEEP_SECONDS - 1
    first_run = {
        path.name for path in tmp_path.iterdir() if path.name not in (JOURNAL, foreign.name)
    }
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    monkeypatch.setattr(runner, "PRUNE_EVERY_SECONDS", 0.0)
    run_some(tmp_path, ONE_OF_EACH + 1)
    left = {path.name for path in tmp_path.iterdir()}
    gone = first_run - left
    assert foreign.name in left
    assert any(SPOT_RISK.file_pattern.fullmatch(name) for name in gone)
    assert any(FILLS.file_pattern.fullmatch(name) for name in left)
    journal = (tmp_path / JOURNAL).read_text().split()
    assert gone.isdisjoint(journal)


def test_the_newest_file_of_each_kind_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "PRUNE_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(runner, "KEEP_SECONDS", -1.0)
    run_some(tmp_path, ONE_OF_EACH + 1)
    left = [feed_of_file(path.name) for path in tmp_path.iterdir() if path.name != JOURNAL]
    assert {feed.path for feed in left if feed} == set(FEEDS)
    # What came after the last pruning is there beside what stayed.
    assert len(left) == ONE_OF_EACH + 1


def test_it_stops_when_told(tmp_path: Path) -> None:
    stop_event, written = threading.Event(), []
    thread = threading.Thread(
        target=lambda: written.append(run_desk(tmp_path, 7, 0.2, stop_event)), daemon=True
    )
    thread.start()
    wait_for_files(tmp_path)
    stop_event.set()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert written[0] >= 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*COMMAND, tmp_path],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_files(tmp_path)
        process.send_signal(number)
        _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "stopped after" in errors
    assert "Traceback" not in errors


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = subprocess.run(
        [*COMMAND, tmp_path / "file"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
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
