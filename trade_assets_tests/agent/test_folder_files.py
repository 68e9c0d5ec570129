"""Files: who is writing, what is whole; candidates: who is due."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.agent import folder_files as files
from trade_assets.agent.candidates import Candidate, Candidates
from trade_assets.agent.folder_files import (
    Stamp,
    Writers,
    is_ignored,
    read_finished,
    regular_stamp,
    writers_of,
)

STAMP = Stamp(1, 2, 3, 4)


def stamp(path: Path) -> Stamp:
    """The stamp of a file that is there."""
    found = regular_stamp(path)
    assert found is not None
    return found


def test_a_writer_is_seen_while_it_has_the_file_open(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    with path.open("rb") as reader:
        assert writers_of(reader.fileno()) is Writers.NONE
        with path.open("a"):
            assert writers_of(reader.fileno()) is Writers.SOME
        assert writers_of(reader.fileno()) is Writers.NONE


def test_only_a_finished_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("whole")
    before = stamp(path)
    assert read_finished(path, before, closed=False) == b"whole"
    with path.open("a") as writer:
        assert read_finished(path, before, closed=True) is None
        writer.write(" and more")
    assert read_finished(path, before, closed=True) is None
    assert read_finished(path, stamp(path), closed=False) == b"whole and more"


def test_a_file_that_changes_while_it_is_read_is_not_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    path.write_text("first")

    def late_writer(_: int) -> Writers:
        """Opens the file right after the kernel said that nobody had it open."""
        path.write_text("second")
        return Writers.NONE

    monkeypatch.setattr(files, "writers_of", late_writer)
    assert read_finished(path, stamp(path), closed=True) is None


def test_a_replaced_file_of_the_same_size_and_time_has_another_stamp(tmp_path: Path) -> None:
    path, other = tmp_path / "f", tmp_path / "g"
    for file, text in ((path, "one"), (other, "two")):
        file.write_text(text)
        os.utime(file, (1_000, 1_000))
    before = stamp(path)
    other.rename(path)
    assert stamp(path) != before
    assert (stamp(path).size, stamp(path).mtime_ns) == (before.size, before.mtime_ns)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away and drop its rights")
def test_where_the_kernel_does_not_tell_a_seen_close_or_a_long_quiet_decides(
    tmp_path: Path,
) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    # Without CAP_LEASE, and not the owner: the lease is not permitted.
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from trade_assets.agent import folder_files as files\n"
        "path = Path(sys.argv[1])\n"
        "descriptor = os.open(path, os.O_RDONLY)\n"
        "stamp = files.Stamp.of(os.fstat(descriptor))\n"
        "os.setuid(65534)\n"
        "print(files.writers_of(descriptor).value)\n"
        "path = Path(f'/proc/self/fd/{descriptor}')\n"
        "print(files.read_finished(path, stamp, closed=True))\n"
        "print(files.read_finished(path, stamp, closed=False))\n"
        "files.UNPROVEN_QUIET_SECONDS = 0.0\n"
        "print(files.read_finished(path, stamp, closed=False))\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    answer = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert answer.stdout.split() == ["unknown", "b'x'", "None", "b'x'"]


def test_names_that_are_left_alone() -> None:
    assert all(is_ignored(name) for name in (".x.csv", "x.csv.tmp", "x.part", "x.csv~"))
    assert not any(is_ignored(name) for name in ("x.csv", "tmp.csv", "x.party"))


def test_what_is_not_a_regular_file_has_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert regular_stamp(tmp_path / "folder") is None
    assert regular_stamp(tmp_path / "pipe") is None
    assert regular_stamp(tmp_path / "missing") is None


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 20), st.booleans())))
def test_candidates_fall_due_in_order_and_only_as_last_armed(
    moves: list[tuple[str, int, bool]],
) -> None:
    candidates, expected = Candidates(), dict[str, tuple[int, int]]()
    for turn, (name, due, drop) in enumerate(moves):
        if drop:
            candidates.drop(name)
            expected.pop(name, None)
        else:
            candidates.arm(Candidate(name, STAMP), due)
            expected[name] = (due, turn)
    assert len(candidates) == len(expected)
    due_now = [candidate.name for candidate in candidates.pop_due(10)]
    assert due_now == sorted(
        (n for n in expected if expected[n][0] <= 10), key=expected.__getitem__
    )
    later = [due for due, _ in expected.values() if due > 10]
    assert candidates.next_due() == min(later, default=None)
