"""The watch on a real folder: what it reports, and that it follows a folder that is replaced."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trade_assets.agent.folder_watch import FolderWatch
from trade_assets_tests.support.waiting import eventually


class Watched:
    """A watch and what it reported."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[tuple[str, bool]] = []
        self.watch = FolderWatch(folder, lambda name, closed: self.heard.append((name, closed)))
        self.watch.ensure()

    def wait_for(self, name: str, *, closed: bool) -> None:
        """Wait until that was reported."""
        eventually(lambda: (name, closed) in self.heard, what=f"{name}, closed={closed}")


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    """A running watch."""
    watched = Watched(folder)
    yield watched
    watched.watch.stop()


def test_a_close_and_a_move_into_the_folder_count_as_closed(
    watched: Watched, folder: Path, tmp_path: Path
) -> None:
    with (folder / "written").open("w"):
        watched.wait_for("written", closed=False)
    watched.wait_for("written", closed=True)
    (folder / "written").rename(folder / "renamed")
    watched.wait_for("renamed", closed=True)
    (tmp_path / "outside").write_text("x")
    (tmp_path / "outside").rename(folder / "moved")
    watched.wait_for("moved", closed=True)
    (folder / "below").mkdir()
    (folder / "below" / "deep").write_text("x")
    (folder / "moved").rename(tmp_path / "gone")
    (folder / "last").write_text("x")
    watched.wait_for("last", closed=True)
    assert {name for name, _ in watched.heard} == {"written", "renamed", "moved", "last"}


@pytest.mark.parametrize(
    "remove", [shutil.rmtree, lambda folder: folder.rename(folder.with_name("away"))]
)
def test_a_folder_that_was_replaced_is_watched_once_it_is_looked_at(
    watched: Watched, folder: Path, remove: Callable[[Path], object]
) -> None:
    remove(folder)
    folder.mkdir()

    def heard_after_ensure() -> bool:
        # Until the loss has reached the watch's thread; the agent calls it at each scan, too.
        watched.watch.ensure()
        (folder / "f").write_text("x")
        return ("f", True) in watched.heard

    eventually(heard_after_ensure)
