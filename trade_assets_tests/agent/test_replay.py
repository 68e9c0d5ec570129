"""The replay: its order and its times, and that it sends what it is given, each time."""

import json
import subprocess
import sys
import threading
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.agent.replay import Replay, plan, span_seconds, time_of_name
from trade_assets.errors import PermanentError
from trade_assets.settings import Settings, child_environment
from trade_assets_tests.agent.helpers import Heard, Landed, risk_name
from trade_assets_tests.samples.made_files import SAMPLES
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bav_analysis_20250717_143331.csv", datetime(2025, 7, 17, 14, 33, 31)),
        ("bav_analysis_20250717_143331_chunk_03_of_16.csv", datetime(2025, 7, 17, 14, 33, 31)),
        ("Futures_20250717_1600.csv", datetime(2025, 7, 17, 16)),
        ("trades_20250717.csv", datetime(2025, 7, 17)),
        ("GE_XCME.ZN_20250528_124425.excerpt.json", datetime(2025, 5, 28, 12, 44, 25)),
        ("id_99999999_20250717.csv", datetime(2025, 7, 17)),
        ("x_20250717_999999.csv", None),
        ("order_4877721789746411490.csv", None),
        ("actant.csv", None),
    ],
)
def test_time_of_name(name: str, expected: datetime | None) -> None:
    assert time_of_name(name) == expected


def test_files_are_ordered_and_gaps_scaled_and_capped() -> None:
    names = [risk_name(70), "trades_20250717.csv", risk_name(10), "notes.txt", risk_name(7270)]
    played = plan([*names, ".hidden.csv"], speed=10, max_gap=60)
    assert [(file.name, file.offset) for file in played.files] == [
        ("trades_20250717.csv", 0.0),  # the start of its day
        (risk_name(10), 1.0),
        (risk_name(70), 7.0),
        (risk_name(7270), 67.0),  # two hours are 720 s at this speed, cut to 60
    ]
    assert played.unclaimed == ("notes.txt",)
    assert span_seconds(played.files) == 67.0
    limited = plan(names, speed=0, max_gap=60, limit=2)
    assert [file.offset for file in limited.files] == [0.0, 0.0]
    with pytest.raises(ValueError, match="negative"):
        plan(names, speed=-1, max_gap=1)


@given(
    numbers=st.sets(st.integers(0, 86_399), max_size=20),
    speed=st.floats(0.1, 1000),
    max_gap=st.floats(0, 100),
)
def test_offsets_keep_the_order_and_never_jump_more_than_allowed(
    numbers: set[int], speed: float, max_gap: float
) -> None:
    played = plan([risk_name(number) for number in numbers], speed, max_gap)
    assert [file.name for file in played.files] == [risk_name(n) for n in sorted(numbers)]
    offsets = [file.offset for file in played.files]
    gaps = [later - before for before, later in pairwise(offsets)]
    expected = [min((b - a) / speed, max_gap) for a, b in pairwise(sorted(numbers))]
    assert gaps == pytest.approx(expected, abs=1e-6)


@pytest.mark.integration
def test_files_are_sent_at_their_times_and_again_each_time(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    for number in (0, 100, 200):
        (folder / risk_name(number)).write_text(str(number))
    clock = [1000.0]
    heard = Heard()
    replay = Replay(
        provisioned, folder, speed=10, listener=heard, workers=1, clock=lambda: clock[0]
    )
    thread = threading.Thread(target=replay.run, args=(threading.Event(),))
    thread.start()
    for count, at in ((1, 1009.9), (2, 1019.9), (3, 1020.0)):
        heard.wait_for(count)
        clock[0] = at
        if count < 3:
            heard.wait_turns(2)
        assert len(heard.uploads) == count
        clock[0] += 0.1
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert [upload.name for upload in heard.uploads] == [risk_name(n) for n in (0, 100, 200)]
    assert Replay(provisioned, folder, speed=0).run(threading.Event()).pushed_files == 3
    assert len(landed.wait_for(6)) == 6


@pytest.mark.integration
def test_a_stopped_replay_says_what_is_left(provisioned: Settings, folder: Path) -> None:
    for number in (0, 3600):
        (folder / risk_name(number)).write_text("x")
    stop, heard = threading.Event(), Heard()
    replay = Replay(provisioned, folder, speed=1, listener=heard)
    thread = threading.Thread(target=replay.run, args=(stop,))
    thread.start()
    heard.wait_for(1)
    stop.set()
    thread.join(PATIENCE_SECONDS)
    assert (replay.report.pushed_files, replay.report.waiting_files) == (1, 1)


def test_a_folder_that_is_not_there_is_an_error_of_ours(settings: Settings, folder: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be read"):
        Replay(settings, folder / "missing")


@pytest.mark.integration
def test_the_command_plays_a_folder(provisioned: Settings, folder: Path, landed: Landed) -> None:
    for number in (5, 3, 4):
        (folder / risk_name(number)).write_text("x")
    (folder / "notes.txt").write_text("x")
    command = [sys.executable, "-c", "from trade_assets.cli.main import main; main()", "replay"]
    process = subprocess.run(
        [*command, str(folder), "--speed", "100", "--limit", "2", "--json", "--workers", "1"],
        env=child_environment(provisioned),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    *uploads, last = [json.loads(line) for line in process.stdout.splitlines()]
    assert process.returncode == 0
    assert [upload["name"] for upload in uploads] == [risk_name(3), risk_name(4)]
    assert last["summary"]["unclaimed"] == ["notes.txt"]
    assert landed.wait_for(2)[0].key == uploads[0]["key"]


@pytest.mark.integration
def test_the_desks_own_files_can_be_played(provisioned: Settings, landed: Landed) -> None:
    report = Replay(provisioned, SAMPLES / "ledger", speed=0).run(threading.Event())
    assert report.pushed_files == len(list((SAMPLES / "ledger").iterdir())) > 0
    eventually(lambda: len(landed.read()) == report.pushed_files)
