"""How gaps and unknown columns of the status look, where stores would be slow to make them."""

import io
from datetime import UTC, datetime, timedelta

from rich.console import Console

from trade_assets.cli.shown_values import both_zones
from trade_assets.cli.status_feeds import GAPS_SHOWN
from trade_assets.cli.status_view import as_text
from trade_assets.feeds.cadence import Gap
from trade_assets.feeds.feed_status import FeedStatus
from trade_assets.feeds.health_section import FeedsStatus
from trade_assets.ingest.health_section import KeptStatus
from trade_assets.ingest.redis_life import LifeState
from trade_assets.ingest.redis_life_section import RedisLifeStatus
from trade_assets.monitor.freshness import Freshness
from trade_assets.monitor.health import Health
from trade_assets.monitor.health_section import GivenUpStatus
from trade_assets.tt.snapshot_status import TtStatus

NOW = datetime(2025, 7, 17, 15, tzinfo=UTC)


def shown(*feeds: FeedStatus) -> list[str]:
    """Lines of the status of feeds."""
    health = Health(
        time=NOW,
        profile="local",
        namespace="trade-assets",
        parts=(),
        sections=(
            FeedsStatus(feeds, stream_enabled=False, stream_runs=()),
            KeptStatus(None, {}, {}),
            RedisLifeStatus(LifeState.KEPT),
            GivenUpStatus(queue=None, quarantine=None),
            TtStatus(NOW, "ext_prod_sim", True, None, None, None, ()),
        ),
    )
    console = Console(file=io.StringIO(), width=200, color_system=None)
    with console.capture() as captured:
        console.print(as_text(health))
    return captured.get().splitlines()


def gap(hours_ago: float, *, still_open: bool = False) -> Gap:
    """A gap of a minute that ended some hours ago."""
    end = NOW - timedelta(hours=hours_ago)
    return Gap(end - timedelta(minutes=1), end, 1234, still_open)


def feed(name: str, *gaps: Gap, columns: tuple[str, ...] = ()) -> FeedStatus:
    return FeedStatus(name, Freshness.OK, 30.0, gaps=gaps, unknown_columns=columns)


def below(lines: list[str], start: str) -> tuple[str, list[str]]:
    """The line that starts so, and the rows of the table below it."""
    (at,) = [number for number, line in enumerate(lines) if line.startswith(start)]
    rows = [line for line in lines[at + 3 :] if line.startswith(("actant/", "tt/"))]
    return lines[at].rstrip(), rows


def test_the_newest_gaps_of_all_feeds_are_shown_and_all_are_counted() -> None:
    one = feed("actant/one", *(gap(hours) for hours in range(20, 2, -2)))
    other = feed("actant/other", *(gap(hours) for hours in range(21, 3, -2)))
    line, rows = below(shown(one, other), "gaps")
    assert line == "gaps        18 gaps"
    newest = sorted(
        ((item.end, item.start, found.feed) for found in (one, other) for item in found.gaps or ()),
        reverse=True,
    )
    assert [" ".join(row.split()) for row in rows] == [
        f"{name} {both_zones(start)} {both_zones(end)} 1,234"
        for end, start, name in newest[:GAPS_SHOWN]
    ]


def test_an_open_gap_comes_first_and_has_no_end() -> None:
    line, rows = below(shown(feed("actant/one", gap(1), gap(0, still_open=True))), "gaps")
    assert line == "gaps        2 gaps"
    assert rows[0].split()[-3:] == ["still", "open", "1,234"]
    assert both_zones(gap(0).end) not in rows[0]
    assert both_zones(gap(1).end) in rows[1]


def test_one_gap_is_one_gap_and_fractions_of_seconds_are_left_out() -> None:
    start = NOW - timedelta(hours=1, microseconds=1)
    line, (row,) = below(shown(feed("tt/one", Gap(start, NOW, 7))), "gaps")
    assert line == "gaps        1 gap"
    assert both_zones(start.replace(microsecond=0)) in row


def test_what_could_not_be_looked_at_is_no_absence() -> None:
    unknown = FeedStatus("actant/one", Freshness.UNKNOWN, 30.0)
    assert "gaps        unknown" in map(str.rstrip, shown(unknown))
    assert "gaps        none" in map(str.rstrip, shown(feed("actant/one")))


def test_unknown_columns_are_one_line_without_markup() -> None:
    lines = shown(feed("actant/one", columns=("A", "[red]B")), feed("tt/two"))
    assert "new columns actant/one: A, [red]B (kept in extra)" in map(str.rstrip, lines)
    assert not [line for line in shown(feed("tt/two")) if line.startswith("new columns")]
