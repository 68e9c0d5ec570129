"""The agent on a real folder and a real bucket: what it sends, what it leaves, how often."""

import os
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trade_assets.agent.journal import journal_path
from trade_assets.agent.loop import Pace
from trade_assets.agent.push_agent import PushAgent
from trade_assets.datasets.keys import parse_feed_key
from trade_assets.errors import PermanentError
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets_tests.agent.helpers import (
    FAST,
    Landed,
    push_once,
    risk_name,
    running_agent,
    write,
)
from trade_assets_tests.support.waiting import eventually

pytestmark = pytest.mark.integration

LEDGER = "trades_20250717.csv"


def test_new_files_arrive_under_the_key_of_their_feed_and_hour(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    before = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with running_agent(provisioned, folder) as heard:
        (folder / risk_name(1)).write_text("one")
        write(folder, LEDGER, "two")
        uploads = {upload.name: upload for upload in heard.wait_for(2)}
    store = ObjectStore(provisioned)
    assert store.get(uploads[risk_name(1)].key).data == b"one"
    assert store.get(uploads[LEDGER].key).data == b"two"
    assert uploads[LEDGER].key.startswith("feeds/tt/fills/dt=")
    key = parse_feed_key(uploads[risk_name(1)].key)
    assert key.feed.path == "actant/spot_risk"
    assert before <= key.hour <= datetime.now(UTC)
    assert len(landed.wait_for(2)) == 2


def test_a_file_that_is_open_for_writing_waits_until_it_is_closed(
    provisioned: Settings, folder: Path
) -> None:
    with running_agent(provisioned, folder) as heard:
        with (folder / risk_name(1)).open("w") as half_written:
            half_written.write("first half, ")
            half_written.flush()
            write(folder, risk_name(2), "whole")
            heard.wait_for(1)
            # Long enough that only the open handle can be the reason.
            eventually(lambda: os.stat(folder / risk_name(1)).st_ctime < _now() - 1.0)
            heard.wait_turns()
            assert [upload.name for upload in heard.uploads] == [risk_name(2)]
            half_written.write("second half")
        upload = heard.wait_for(2)[1]
    assert ObjectStore(provisioned).get(upload.key).data == b"first half, second half"


def test_files_moved_in_from_elsewhere_and_files_without_an_event_are_found(
    provisioned: Settings, folder: Path, tmp_path: Path
) -> None:
    (folder / risk_name(1)).write_text("was there")
    outside = tmp_path / "outside"
    outside.write_text("moved in")
    os.utime(outside, (1, 1))
    with running_agent(provisioned, folder) as heard:
        heard.wait_for(1)
        outside.rename(folder / risk_name(2))
        heard.wait_for(2)
        # A link is an event of creation alone: no writer ever closes it.
        os.link(folder / risk_name(2), folder / risk_name(3))
        assert heard.wait_for(3)[2].name == risk_name(3)


def test_a_replaced_folder_is_watched_again(provisioned: Settings, folder: Path) -> None:
    # Only files whose closing is seen are sent soon enough for this test.
    only_events = Pace(settle=0.03, rescan=0.2, unseen=600)
    with running_agent(provisioned, folder, only_events) as heard:
        heard.wait_turns(1)
        write(folder, risk_name(1), "before")
        heard.wait_for(1)
        folder.rename(folder.with_name("away"))
        heard.wait_turns()
        folder.mkdir()
        heard.wait_turns()
        write(folder, risk_name(2), "after")
        assert heard.wait_for(2)[1].name == risk_name(2)


def test_the_same_content_is_never_sent_twice(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    path = write(folder, LEDGER, "A")
    with running_agent(provisioned, folder) as heard:
        heard.wait_for(1)
        path.touch()
        eventually(lambda: heard.latest.same_files == 1)
        write(folder, LEDGER, "A")
        eventually(lambda: heard.latest.same_files == 2)
    path.touch()
    report = push_once(provisioned, folder)
    assert (report.pushed_files, report.same_files) == (0, 1)
    assert push_once(provisioned, folder).same_files == 0  # known by its stamp, not even read
    path.unlink()
    push_once(provisioned, folder)
    write(folder, LEDGER, "A")
    assert push_once(provisioned, folder).same_files == 1
    assert len(landed.wait_for(1)) == 1


def test_content_that_comes_back_is_sent_again_because_the_newest_version_must_be_right(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    with running_agent(provisioned, folder) as heard:
        for count, content in enumerate(("A", "B", "A"), start=1):
            write(folder, LEDGER, content)
            upload = heard.wait_for(count)[-1]
    assert ObjectStore(provisioned).get(upload.key).data == b"A"
    assert len(landed.wait_for(3)) == 3
    assert push_once(provisioned, folder).pushed_files == 0


def test_a_file_that_is_rewritten_all_the_time_ends_with_its_newest_version(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    rows = ["tradeId,instrumentName"]
    with running_agent(provisioned, folder) as heard:
        for number in range(120):
            rows.append(f"{number},ZN")
            (folder / LEDGER).write_text("\n".join(rows))  # in place: truncated, then filled
            if number % 20 == 0:
                heard.wait_turns(2)
        heard.wait_for(1)
        whole = "\n".join(rows).encode()
        store = ObjectStore(provisioned)
        eventually(lambda: store.get(heard.uploads[-1].key).data == whole)
        heard.wait_turns()
    versions = landed.wait_for(len(heard.uploads))
    assert [item.etag for item in versions][-1] == heard.uploads[-1].etag
    # It only ever grew: a version sent out of order or torn would not be among its states.
    assert Counter(upload.size for upload in heard.uploads).most_common(1)[0][1] == 1
    assert [u.size for u in heard.uploads] == sorted(u.size for u in heard.uploads)


def test_a_backlog_of_300_files_arrives_once_each(
    provisioned: Settings, folder: Path, landed: Landed
) -> None:
    for number in range(300):
        (folder / risk_name(number)).write_text(f"file {number}")
    report = push_once(provisioned, folder)
    assert (report.pushed_files, report.complete, report.idle) == (300, True, True)
    landed.wait_for(300)
    assert landed.names() == [risk_name(number) for number in range(300)]
    assert push_once(provisioned, folder).pushed_files == 0
    assert len(landed.read()) == 300


def test_what_no_feed_claims_is_reported_and_not_sent(
    provisioned: Settings, folder: Path, landed: Landed, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("notes.txt", ".hidden.csv", f"{risk_name(1)}.tmp", "x.part", "y~"):
        (folder / name).write_text("x")
    (folder / "bav_analysis_20250717_000009.csv").mkdir()
    write(folder, risk_name(2), "claimed")
    with running_agent(provisioned, folder) as heard:
        heard.wait_for(1)
        heard.wait_turns()
        assert heard.latest.unclaimed == {"notes.txt"}
    report = push_once(provisioned, folder)
    assert (report.unclaimed, report.complete) == ({"notes.txt"}, True)
    assert landed.names() == [risk_name(2)]


def test_two_agents_on_one_folder_are_refused(provisioned: Settings, folder: Path) -> None:
    with running_agent(provisioned, folder) as heard:
        heard.wait_turns(1)
        with pytest.raises(PermanentError, match=f"process {os.getpid()}.*desk"):
            push_once(provisioned, folder)
    assert push_once(provisioned, folder).complete  # the lock goes with its holder


def test_a_folder_or_journal_that_cannot_be_used_is_an_error_of_ours(
    settings: Settings, folder: Path
) -> None:
    with pytest.raises(PermanentError, match="no such folder"):
        PushAgent(settings, folder / "missing").run(threading.Event())
    path = journal_path(settings, folder)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database" * 100)
    with pytest.raises(PermanentError, match="move it away"):
        PushAgent(settings, folder).run(threading.Event())


def test_a_refused_file_is_reported_and_sent_once_the_reason_is_gone(
    settings: Settings, folder: Path
) -> None:
    write(folder, risk_name(1), "waits for its bucket")
    report = push_once(settings, folder)  # no bucket was made
    assert not report.complete
    assert "bucket" in report.refused[risk_name(1)]
    from trade_assets.stores.provision import provision

    provision(settings)
    assert push_once(settings, folder).pushed_files == 1


def test_a_refused_file_does_not_hold_up_others(provisioned: Settings, folder: Path) -> None:
    write(folder, risk_name(1), "unreadable")
    unreadable = folder / risk_name(2)
    unreadable.symlink_to("/proc/self/mem")  # a regular file; reading it is an I/O error
    with running_agent(provisioned, folder) as heard:
        heard.wait_for(1)
        eventually(lambda: risk_name(2) in heard.latest.refused)
        write(folder, risk_name(3), "goes on")
        heard.wait_for(2)
        unreadable.unlink()
        eventually(lambda: not heard.latest.refused)


def _now() -> float:
    return datetime.now(UTC).timestamp()


def test_keys_carry_the_hour_of_the_push(provisioned: Settings, folder: Path) -> None:
    write(folder, risk_name(1), "x")
    at = datetime(2031, 2, 3, 23, 59, 59, tzinfo=UTC)
    agent = PushAgent(provisioned, folder, pace=FAST, once=True, now=lambda: at)
    assert agent.run(threading.Event()).pushed_files == 1
    key = f"feeds/actant/spot_risk/dt=2031-02-03/hh=23/{risk_name(1)}"
    assert ObjectStore(provisioned).get(key).data == b"x"
