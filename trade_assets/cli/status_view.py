"""How an overview looks: tables for people, JSON for programs. Its facts: `overview`."""

import sys
from collections.abc import Iterator, Sequence
from typing import Final, Self

import orjson
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from trade_assets.cli.status_tt import tt_lines
from trade_assets.cli.tables import (
    FRESHNESS_STYLES,
    UNKNOWN,
    line,
    status_table,
)
from trade_assets.cli.words import (
    age_text,
    both_zones,
    central_text,
    counted,
    seconds_since,
)
from trade_assets.feeds.health import FeedStatus
from trade_assets.monitor.health import Overview
from trade_assets.monitor.part_status import PartStatus
from trade_assets.monitor.set_aside import QuarantinedFile

ROWS_SHOWN: Final = 5
GAPS_SHOWN: Final = 10


class JsonView:
    """JSON on standard output: one indented object, or an object a line."""

    def __init__(self, *, lines: bool) -> None:
        self._options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        if not lines:
            self._options |= orjson.OPT_INDENT_2

    def show(self, overview: Overview) -> None:
        """Write it."""
        sys.stdout.write(orjson.dumps(overview.as_dict(), option=self._options).decode())
        sys.stdout.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class TextView:
    """Tables, one look below the other."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, overview: Overview) -> None:
        """Print it."""
        self._console.print(as_text(overview))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class LiveView(TextView):
    """The last look, in the place of the one before."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def show(self, overview: Overview) -> None:
        """Put it into its place."""
        self._live.update(as_text(overview), refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def as_text(overview: Overview) -> RenderableType:
    """An overview for people; the verdict comes last, where the eye is."""
    head = f"trade-assets · profile {overview.profile} · {overview.namespace} · "
    return Group(
        Text(head + both_zones(overview.time.replace(microsecond=0)), style="bold"),
        Text(),
        _parts(overview.parts),
        Text(),
        _feeds(overview),
        Text(),
        *_stream(overview),
        *_queue(overview),
        *_quarantine(overview),
        *_gaps(overview),
        *_unknown_columns(overview),
        Text(),
        *tt_lines(overview.tt),
        Text(),
        *_verdict(overview.problems),
    )


def _parts(parts: Sequence[PartStatus]) -> Table:
    table = status_table("part", "state", "where")
    for part in parts:
        state, style = ("ok", "green") if part.problem is None else ("trouble", "yellow")
        if not part.reachable:
            state, style = "away", "red"
        table.add_row(Text(part.name), Text(state, style=style), Text(part.where))
    return table


def _feeds(overview: Overview) -> Table:
    table = status_table("feed", "state", "ingested", "lag", "keys", "last event", "last file")
    for column in table.columns[2:5]:
        column.justify = "right"
    for feed in overview.feeds:
        table.add_row(*_feed_cells(feed))
    return table


def _feed_cells(feed: FeedStatus) -> Iterator[Text]:
    yield Text(feed.feed)
    yield Text(feed.freshness, style=FRESHNESS_STYLES[feed.freshness])
    yield Text(f"{age_text(feed.age_seconds)} ago" if feed.age_seconds is not None else "")
    yield Text("" if feed.lag_seconds is None else f"{feed.lag_seconds:.3f} s")
    yield Text("" if feed.record_keys is None else f"{feed.record_keys:,}")
    yield Text("" if feed.last_event_time is None else both_zones(feed.last_event_time))
    yield Text((feed.last_file or "").rsplit("/", 1)[-1])


def _stream(overview: Overview) -> Iterator[Text]:
    if overview.stream_runs is None:
        yield line("stream", UNKNOWN)
        return
    if not overview.stream_runs:
        yield line("stream", "no run is alive" if overview.stream_enabled else "switched off")
    for run in overview.stream_runs:
        end = run.window_ends_at
        left = seconds_since(overview.time, end)
        doing = "consuming" if run.consuming else "finishing"
        ends = f"window ends {central_text(end.replace(microsecond=0), with_date=False)} US Central"
        if left is not None and left > 0:
            ends += f", in {age_text(left)}"
        yield line("stream", f"run {run.run_id} {doing}, {counted(run.files, 'file')}, {ends}")


def _queue(overview: Overview) -> Iterator[RenderableType]:
    queue = overview.queue
    if queue is None:
        yield line("queue", UNKNOWN)
        return
    depth = queue.depth
    counts = (
        f"{depth.waiting:,} waiting, {depth.in_flight:,} in flight, {depth.dead:,} dead letters"
    )
    yield line("queue", counts)
    if queue.dead_letters:
        table = status_table("dead letter", "file")
        for letter in queue.dead_letters:
            age = age_text(seconds_since(letter.sent_at, overview.time))
            about = ", ".join(letter.keys) or f"not understood: {letter.body}"
            table.add_row(Text(f"{age} old"), Text(about))
        yield table


def _quarantine(overview: Overview) -> Iterator[RenderableType]:
    quarantine = overview.quarantine
    if quarantine is None:
        yield line("quarantine", UNKNOWN)
        return
    count = counted(quarantine.files, "file")
    yield line("quarantine", f"more than {count}; the newest:" if quarantine.more else count)
    if quarantine.newest:
        table = status_table("quarantined", "file", "why")
        for file in quarantine.newest:
            age = age_text(seconds_since(file.quarantined_at, overview.time))
            table.add_row(Text(f"{age} ago"), Text(file.key), Text(_reason(file)))
        yield table


def _reason(file: QuarantinedFile) -> str:
    if file.reason is None:
        return "no report beside it"
    rows = ", ".join(map(str, file.row_numbers[:ROWS_SHOWN]))
    if not rows:
        return file.reason
    return f"{file.reason} (rows {rows}{', …' if len(file.row_numbers) > ROWS_SHOWN else ''})"


def _gaps(overview: Overview) -> Iterator[RenderableType]:
    if any(feed.gaps is None for feed in overview.feeds):
        yield line("gaps", UNKNOWN)
        return
    gaps = [(gap, feed.feed) for feed in overview.feeds for gap in feed.gaps or ()]
    yield line("gaps", counted(len(gaps), "gap") if gaps else "none")
    if not gaps:
        return
    table = status_table("gap", "from", "to", "files expected")
    table.columns[-1].justify = "right"
    newest = sorted(gaps, key=lambda item: item[0].end, reverse=True)
    for gap, feed in newest[:GAPS_SHOWN]:
        end = "still open" if gap.open else both_zones(gap.end.replace(microsecond=0))
        start = both_zones(gap.start.replace(microsecond=0))
        table.add_row(Text(feed), Text(start), Text(end), Text(f"{gap.files_expected:,}"))
    yield table


def _unknown_columns(overview: Overview) -> Iterator[Text]:
    found = [
        f"{feed.feed}: {', '.join(feed.unknown_columns)}"
        for feed in overview.feeds
        if feed.unknown_columns
    ]
    if found:
        yield line("new columns", f"{'; '.join(found)} (kept in extra)")


def _verdict(problems: Sequence[str]) -> Iterator[Text]:
    if not problems:
        yield Text("healthy", style="bold green")
    for problem in problems:
        yield Text(problem, style="red")
