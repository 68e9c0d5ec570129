"""How the health of the platform looks: as a whole for people, as JSON for programs.

Its sections are shown by `status_feeds`, `status_given_up` and `status_tt`. Facts:
`monitor.health`.
"""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Self

import orjson
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from trade_assets.cli.shown_values import both_zones
from trade_assets.cli.status_feeds import feeds_table, missing_lines, stream_lines
from trade_assets.cli.status_given_up import given_up_lines
from trade_assets.cli.status_kept import kept_lines
from trade_assets.cli.status_tt import tt_lines
from trade_assets.cli.tables import line, status_table
from trade_assets.feeds.health_section import FeedsStatus
from trade_assets.ingest.health_section import KeptStatus
from trade_assets.ingest.redis_life_section import RedisLifeStatus
from trade_assets.monitor.health import Health
from trade_assets.monitor.health_section import GivenUpStatus
from trade_assets.monitor.part_status import PartStatus
from trade_assets.tt.snapshot_status import TtStatus


class JsonView:
    """JSON on standard output: one indented object, or an object a line."""

    def __init__(self, *, lines: bool) -> None:
        self._options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        if not lines:
            self._options |= orjson.OPT_INDENT_2

    def show(self, health: Health) -> None:
        """Write it."""
        sys.stdout.write(orjson.dumps(health.as_dict(), option=self._options).decode())
        sys.stdout.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class TextView:
    """Tables, one look below the other."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, health: Health) -> None:
        """Print it."""
        self._console.print(as_text(health))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class LiveView(TextView):
    """The last look, in the place of the one before."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")

    def show(self, health: Health) -> None:
        """Put it into its place."""
        self._live.update(as_text(health), refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


def as_text(health: Health) -> RenderableType:
    """The health for people; the verdict comes last, where the eye is."""
    head = f"trade-assets · profile {health.profile} · {health.namespace} · "
    feeds, tt = health.find(FeedsStatus), health.find(TtStatus)
    given_up = health.section(GivenUpStatus)
    return Group(
        Text(head + both_zones(health.time.replace(microsecond=0)), style="bold"),
        Text(),
        _parts(health.parts),
        Text(),
        *(_feeds_lines(feeds, health.time) if feeds else ()),
        *given_up_lines(given_up, health.time),
        *(missing_lines(feeds) if feeds else ()),
        *kept_lines(health.section(KeptStatus)),
        *_redis_line(health.section(RedisLifeStatus)),
        Text(),
        *(_tt_lines(tt) if tt else ()),
        *_verdict(health.problems),
    )


def _feeds_lines(feeds: FeedsStatus, now: datetime) -> Iterator[RenderableType]:
    yield feeds_table(feeds)
    yield Text()
    yield from stream_lines(feeds, now)


def _tt_lines(tt: TtStatus) -> Iterator[RenderableType]:
    yield from tt_lines(tt)
    yield Text()


def _parts(parts: Sequence[PartStatus]) -> Table:
    table = status_table("part", "state", "where")
    for part in parts:
        state, style = ("ok", "green") if part.problem is None else ("trouble", "yellow")
        if not part.reachable:
            state, style = "away", "red"
        table.add_row(Text(part.name), Text(state, style=style), Text(part.where))
    return table


def _redis_line(found: RedisLifeStatus) -> Iterator[Text]:
    if found.text:
        yield line("Redis", found.text)


def _verdict(problems: Sequence[str]) -> Iterator[Text]:
    if not problems:
        yield Text("healthy", style="bold green")
    for problem in problems:
        yield Text(problem, style="red")
