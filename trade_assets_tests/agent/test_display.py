"""What people and programs see: lines, a bar, JSON."""

import io
import json

from rich.console import Console
from rich.progress import Progress

from trade_assets.agent.display import JsonLines, ProgressBar, StatusLines, state_text
from trade_assets.agent.progress import PushReport
from trade_assets.agent.uploader import Upload

UPLOAD = Upload("trades_20250717.csv", "feeds/tt/fills/x", "etag", 1_500, 0.2)


def report(pushed: int, waiting: int) -> PushReport:
    """A report after so many pushed files of 1,500 bytes."""
    return PushReport(pushed_files=pushed, pushed_bytes=pushed * 1_500, waiting_files=waiting)


def test_the_state_names_troubles_only_where_there_are_some() -> None:
    assert state_text(report(1_200, 3), None) == "1,200 files pushed (1.8 MB), 3 waiting"
    troubled = report(0, 1)
    troubled.unclaimed.add("notes.txt")
    troubled.refused["x"] = "access denied"
    text = state_text(troubled, 12.3)
    assert text.endswith("1 waiting, 1 unclaimed, 1 refused, bucket out of reach for 12 s")


def test_the_bar_measures_each_backlog_by_itself() -> None:
    with Progress(console=Console(file=io.StringIO()), disable=True) as progress:
        bar, task = ProgressBar(progress, "push"), progress.tasks[0]
        for pushed, waiting, expected in (
            (0, 0, (0, None)),
            (0, 10, (0, 10)),
            (4, 6, (4, 10)),
            (10, 0, (10, 10)),
            (10, 0, (10, 10)),
            (11, 4, (1, 5)),
        ):
            bar.progress(report(pushed, waiting), None)
            assert (task.completed, task.total) == expected


def test_status_lines_do_not_repeat_themselves() -> None:
    out = io.StringIO()
    lines = StatusLines(out)
    lines.progress(report(1, 0), None)  # not yet time
    for pushed in (1, 1, 2):
        lines.show(report(pushed, 0))
    assert [line.split()[0] for line in out.getvalue().splitlines()] == ["1", "2"]


def test_json_lines_can_be_read_back_whatever_the_file_is_called() -> None:
    out = io.StringIO()
    lines = JsonLines(out)
    lines.uploaded(UPLOAD)
    end = report(1, 0)
    end.unclaimed.add("caf\udce9.csv")  # a name that is not UTF-8
    lines.summary(end)
    upload, last = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (upload["name"], upload["size"], upload["lag_seconds"]) == (UPLOAD.name, 1_500, 0.2)
    assert last["summary"]["unclaimed"] == ["caf\\udce9.csv"]
    assert last["summary"]["complete"] is True
