"""How the feeds look in the status: the feeds, the stream, gaps, unknown columns.

Facts: `feeds.health_section`. Tables and lines that all sections share: `tables`.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trade_assets.cli.shown_values import (
    age_text,
    both_zones,
    central_text,
    counted,
    seconds_since,
)
from trade_assets.cli.tables import FRESHNESS_STYLES, UNKNOWN, line, status_table
from trade_assets.feeds.feed_status import FeedStatus
from trade_assets.feeds.health_section import FeedsStatus

GAPS_SHOWN: Final = 10


def feeds_table(feeds: FeedsStatus) -> Table:
    """A line a feed."""
    table = status_table("feed", "state", "ingested", "lag", "keys", "last event", "last file")
    for column in table.columns[2:5]:
        column.justify = "right"
    for feed in feeds.feeds:
        table.add_row(*_feed_cells(feed))
    return table


def _feed_cells(feed: FeedStatus) -> Iterator[Text]:
    yield Text(feed.feed)
    yield Text(feed.freshness, style=FRESHNESS_STYLES[feed.freshness])
    yield Text(f"{age_text(feed.age_seconds)} ago" if feed.age_seconds is not None else "")
    yield Text("" if feed.lag_seconds is None else f"{feed.lag_seconds:.3f} s")
    yield Text("" if feed.record_keys is None else f"{feed.record_keys:,}")
    yield Text(_event_text(feed))
    yield Text((feed.last_file or "").rsplit("/", 1)[-1])


def _event_text(feed: FeedStatus) -> str:
    """When the newest event was, and how long ago: beside a late ingest it says who is behind."""
    if feed.last_event_time is None:
        return ""
    age = age_text(feed.event_age_seconds)
    return f"{age} ago, {both_zones(feed.last_event_time.replace(microsecond=0))}"


def stream_lines(feeds: FeedsStatus, now: datetime) -> Iterator[Text]:
    """The stream runs that are alive."""
    if feeds.stream_runs is None:
        yield line("stream", UNKNOWN)
        return
    if not feeds.stream_runs:
        yield line("stream", "no run is alive" if feeds.stream_enabled else "switched off")
    for run in feeds.stream_runs:
        end = run.window_ends_at
        left = seconds_since(now, end)
        doing = "consuming" if run.consuming else "finishing"
        ends = f"window ends {central_text(end.replace(microsecond=0), with_date=False)} US Central"
        if left is not None and left > 0:
            ends += f", in {age_text(left)}"
        yield line("stream", f"run {run.run_id} {doing}, {counted(run.files, 'file')}, {ends}")


def missing_lines(feeds: FeedsStatus) -> Iterator[RenderableType]:
    """Files that did not come, and columns that nobody knew."""
    yield from _gaps(feeds)
    yield from _unknown_columns(feeds)


def _gaps(feeds: FeedsStatus) -> Iterator[RenderableType]:
    if any(feed.gaps is None for feed in feeds.feeds):
        yield line("gaps", UNKNOWN)
        return
    gaps = [(gap, feed.feed) for feed in feeds.feeds for gap in feed.gaps or ()]
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


def _unknown_columns(feeds: FeedsStatus) -> Iterator[Text]:
    found = [
        f"{feed.feed}: {', '.join(feed.unknown_columns)}"
        for feed in feeds.feeds
        if feed.unknown_columns
    ]
    if found:
        yield line("new columns", f"{'; '.join(found)} (kept in extra)")
