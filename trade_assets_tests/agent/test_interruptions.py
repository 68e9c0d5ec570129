"""The agent interrupted: by the network, by signals, by its own death. Nothing lost or repeated."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trade_assets.agent import push_agent as agents
from trade_assets.agent.loop import Pace
from trade_assets.agent.push_agent import PushAgent
from trade_assets.errors import PermanentError
from trade_assets.settings import Settings, child_environment
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets_tests.agent.helpers import (
    FAST,
    Landed,
    cuttable,
    push_once,
    risk_name,
    running_agent,
    write,
)
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

FILES = 250
COMMAND = [sys.executable, "-c", "from trade_assets.cli.main import main; main()", "push"]


def backlog(folder: Path, count: int = FILES) -> list[str]:
    """Write a backlog; returns its names, sorted."""
    for number in range(count):
        (folder / risk_name(number)).write_text(f"file {number}\n" * 50)
    return [risk_name(number) for number in range(count)]


@contextmanager
def started(settings: Settings, folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The real command, ended at the latest with the context."""
    process = subprocess.Popen(
        [*COMMAND, str(folder), "--json", *options],
        env=child_environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def finish(settings: Settings, folder: Path) -> dict[str, object]:
    """Run the command once over what is left; returns its summary."""
    with started(settings, folder, "--once") as process:
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    summary: dict[str, object] = json.loads(out.splitlines()[-1])["summary"]
    return summary


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_process_ended_in_a_backlog_goes_on_where_it_was(
    provisioned: Settings, folder: Path, landed: Landed, number: signal.Signals
) -> None:
    names = backlog(folder)
    with started(provisioned, folder, "--workers", "2") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.send_signal(number)
        rest, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert first["name"] in names
    if number is signal.SIGTERM:
        assert process.returncode == 0
        summary = json.loads(rest.splitlines()[-1])["summary"]
        assert summary["pushed_files"] + summary["waiting_files"] == FILES
    assert finish(provisioned, folder)["complete"] is True
    landed.wait_for(FILES)
    assert landed.names() == names


def test_a_network_that_is_away_delays_files_and_repeats_none(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    names = backlog(folder, 60)
    with cuttable(provisioned) as (line, settings):
        line.cut()
        with running_agent(settings, folder) as heard:
            eventually(lambda: heard.away)
            write(folder, risk_name(60), "written during the outage")
            line.mend()
            heard.wait_for(61)
            assert not heard.away
    landed.wait_for(61)
    assert landed.names() == [*names, risk_name(60)]


def test_a_file_rewritten_during_an_outage_goes_in_order_and_ends_with_its_newest(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    only_events = Pace(settle=0.01, rescan=600)
    with (
        cuttable(provisioned) as (line, settings),
        running_agent(settings, folder, only_events) as heard,
    ):
        heard.wait_turns(1)
        line.cut()
        write(folder, risk_name(1), "0")
        eventually(lambda: heard.away)
        for content in "12345":
            write(folder, risk_name(1), content)
            heard.wait_turns(2)
        line.mend()
        last = heard.wait_for(2)[1]
    # The version that was under way, then the newest: never two at a time.
    assert [item.etag for item in landed.wait_for(2)] == [upload.etag for upload in heard.uploads]
    assert len(heard.uploads) == 2
    assert ObjectStore(provisioned).get(last.key).data == b"5"


def test_a_line_cut_in_a_backlog_and_a_stop_during_the_outage_lose_nothing(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    names = backlog(folder)
    with cuttable(provisioned) as (line, settings):
        with started(settings, folder, "--workers", "4") as process:
            assert process.stdout is not None
            process.stdout.readline()
            line.cut()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0
        line.mend()
        assert finish(settings, folder)["complete"] is True
    landed.wait_for(FILES)
    # A request that S3 had taken when the line was cut may be repeated, under the same identity.
    assert sorted({(item.key.rsplit("/", 1)[1]) for item in landed.read()}) == names
    assert len({(item.key, item.etag) for item in landed.read()}) == FILES


def test_one_pass_gives_up_on_a_network_that_stays_away(
    provisioned: Settings, folder: Path
) -> None:
    write(folder, risk_name(1), "x")
    with cuttable(provisioned) as (line, settings):
        line.cut()
        impatient = settings.changed({"store_retry_seconds": 0.5})
        with started(impatient, folder, "--once") as process:
            out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert json.loads(out.splitlines()[-1])["summary"]["waiting_files"] == 1


def test_an_upload_that_hangs_does_not_hold_up_a_stop_and_keeps_the_folder(
    provisioned: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "GRACE_SECONDS", 0.1)
    write(folder, risk_name(1), "x")
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as hole:
        endpoint = f"http://127.0.0.1:{hole.getsockname()[1]}"
        settings = provisioned.changed({"aws_endpoint_url": endpoint})
        taken: list[socket.socket] = []

        def take() -> None:
            taken.append(hole.accept()[0])
            stop.set()

        taker = threading.Thread(target=take)
        taker.start()
        report = PushAgent(settings, folder, pace=FAST).run(stop)
        taker.join(PATIENCE_SECONDS)
        assert (report.idle, report.waiting_files) == (False, 1)
        with pytest.raises(PermanentError, match="another push agent"):
            push_once(settings, folder)
        for connection in taken:
            connection.close()


def test_a_second_process_on_the_folder_is_told_whose_it_is(
    provisioned: Settings, folder: Path
) -> None:
    with running_agent(provisioned, folder) as heard:
        heard.wait_turns(1)
        process = subprocess.run(
            [*COMMAND, str(folder), "--once"],
            env=child_environment(provisioned),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    assert process.returncode == 1
    assert process.stderr.startswith(f"error: another push agent (process {os.getpid()})")
