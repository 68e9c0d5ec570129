"""What a person or a program sees of a running agent or replay. Figures only; logs are `logs`."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final, TextIO

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from trade_assets.agent.loop import Listener
from trade_assets.agent.progress import PushReport
from trade_assets.agent.uploader import Upload
from trade_assets.settings import Settings

STATUS_SECONDS: Final = 30.0
RATE_SECONDS: Final = 2.0


class JsonLines(Listener):
    """One JSON object per upload, as it happens, and a summary at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def uploaded(self, upload: Upload) -> None:
        """Write an upload."""
        self._write(asdict(upload))

    def summary(self, report: PushReport) -> None:
        """Write the closing object, `{"summary": …}`."""
        self._write({"summary": {**report.as_dict(), "complete": report.complete}})

    def _write(self, value: object) -> None:
        self._stream.write(json.dumps(value) + "\n")
        self._stream.flush()


class StatusLines(Listener):
    """A line of text now and then, when there is something new: for a log or a pipe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = ""
        self._next = time.monotonic() + STATUS_SECONDS

    def progress(self, report: PushReport, away_seconds: float | None) -> None:
        """Write the state if it is time and it has changed."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + STATUS_SECONDS
            self.show(report, away_seconds)

    def show(self, report: PushReport, away_seconds: float | None = None) -> None:
        """Write the state unless it was the last line written."""
        line = state_text(report, away_seconds)
        if line != self._last:
            self._last = line
            self._stream.write(line + "\n")
            self._stream.flush()


class ProgressBar(Listener):
    """A bar for a backlog, with files, bytes, rate and time left; a quiet line without one."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._title = title
        self._task: TaskID = progress.add_task(title, total=None, state="")
        self._begun = self._pushed = 0
        self._idle = True
        self._rate = _Rate()

    def progress(self, report: PushReport, away_seconds: float | None) -> None:
        """Show the state. A backlog begins when something waits and ends when nothing does."""
        if self._idle and report.waiting_files:
            self._begun = self._pushed
        self._idle, self._pushed = not report.waiting_files, report.pushed_files
        done = report.pushed_files - self._begun
        total = done + report.waiting_files
        state = ", ".join(
            [
                decimal(report.pushed_bytes),
                self._rate.text(report.pushed_bytes),
                *_troubles(report, away_seconds),
            ]
        )
        self._progress.update(self._task, completed=done, total=total or None, state=state)


class _Rate:
    """Bytes a second over the last seconds."""

    def __init__(self) -> None:
        self._at, self._total, self._shown = time.monotonic(), 0, 0.0

    def text(self, total: int) -> str:
        """The rate, given the bytes so far."""
        seconds = time.monotonic() - self._at
        if seconds >= RATE_SECONDS:
            self._shown = (total - self._total) / seconds
            self._at, self._total = time.monotonic(), total
        return f"{decimal(int(self._shown))}/s"


def state_text(report: PushReport, away_seconds: float | None) -> str:
    """The state in words, e.g. `1,204 files pushed (48.1 MB), 3 waiting`; trouble if there is."""
    counts = (
        f"{report.pushed_files:,} files pushed ({decimal(report.pushed_bytes)})",
        f"{report.waiting_files:,} waiting",
    )
    return ", ".join([*counts, *_troubles(report, away_seconds)])


def _troubles(report: PushReport, away_seconds: float | None) -> list[str]:
    counts = (
        (report.same_files, "unchanged"),
        (len(report.unclaimed), "unclaimed"),
        (len(report.unfinished), "unfinished"),
        (report.vanished_files, "vanished"),
        (len(report.refused), "refused"),
    )
    troubles = [f"{count:,} {what}" for count, what in counts if count]
    if away_seconds is not None:
        troubles.append(f"bucket out of reach for {away_seconds:.0f} s")
    return troubles


@contextmanager
def listener_for(title: str, *, as_json: bool) -> Iterator[JsonLines | StatusLines | ProgressBar]:
    """The listener that suits standard output. Configure the logs inside it: on a terminal they
    then print above the bar."""
    console = Console()
    if as_json:
        yield JsonLines(sys.stdout)
    elif not console.is_terminal:
        yield StatusLines(sys.stdout)
    else:
        # Only the last column may be squeezed on a narrow terminal.
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=16, table_column=Column(no_wrap=True)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[state]}"),
        )
        with Progress(
            *columns, console=console, redirect_stderr=sys.stderr.isatty(), refresh_per_second=4
        ) as progress:
            yield ProgressBar(progress, title)


def log_settings(settings: Settings, listener: Listener) -> Settings:
    """Settings for the logs: a line per file would bury a progress bar on the same terminal.

    A log level that somebody chose is kept.
    """
    chosen = "log_level" in settings.platform.model_fields_set
    if chosen or not isinstance(listener, ProgressBar) or not sys.stderr.isatty():
        return settings
    return settings.changed({"log_level": "WARNING"})


def show_end(listener: Listener, report: PushReport) -> None:
    """The last word, for whoever listened."""
    if isinstance(listener, JsonLines):
        listener.summary(report)
    elif isinstance(listener, StatusLines):
        listener.show(report)
    else:
        Console().print(state_text(report, None), highlight=False)
