"""What the running stack looks like to a person: the table of parts and the line of status."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.table import Table

from trade_assets.concepts import is_chosen
from trade_assets.datasets.registry import feeds
from trade_assets.errors import TradeAssetsError
from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.local.programs import Program, StackPaths
from trade_assets.local.supervisor import ProgramState
from trade_assets.ports import LOOPBACK
from trade_assets.settings import AwsService, Settings
from trade_assets.stores.connections import Connections
from trade_assets.stores.sqs.notifications import QueueDepth
from trade_assets.tt.slots.open_hours import open_hours
from trade_assets.tt.slots.slot_counts import missed_in_a_row
from trade_assets.tt.tt_stores import TtStores

NOTHING: Final = "-"

LIVE_SECONDS: Final = 300.0
"""A feed that is stale after so long is one to watch; the others are in `trade-assets status`."""


@dataclass(frozen=True, slots=True)
class LiveFeed:
    """A feed to watch, as Redis knows it. Texts as stored; `NOTHING` before the first file."""

    name: str
    last_event_time: str
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class SlotStatus:
    """The newest slot that was asked for. `problem` is empty if it is whole."""

    slot: datetime
    seconds: float
    problem: str
    missed_in_a_row: int


@dataclass(frozen=True, slots=True)
class StackStatus:
    """One look at the data. `problem` says why the rest is not known; `tt` is None before the first
    slot."""

    history_bytes: int = 0
    feeds: tuple[LiveFeed, ...] = ()
    queue: QueueDepth | None = None
    tt: SlotStatus | None = None
    problem: str = ""


class StatusReader:
    """Reads the stack's status from its stores; keeps their connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        connections = Connections(settings, patient=False)
        self._feed_stores, self._tt_stores = FeedStores(connections), TtStores(connections)

    def read(self) -> StackStatus:
        """One look; a store that is away shows in the result, it is no error."""
        try:
            return StackStatus(
                history_bytes=folder_bytes(StackPaths(self._settings.home_path).tables),
                feeds=tuple(self._feeds()),
                queue=self._feed_stores.queue.depth(),
                tt=self._slot(),
            )
        except TradeAssetsError as error:
            return StackStatus(problem=str(error))

    def _feeds(self) -> Iterable[LiveFeed]:
        if not is_chosen("feeds", self._settings.platform.only):
            return
        for feed in feeds().values():
            if feed.freshness_seconds > LIVE_SECONDS:
                continue
            fields = self._feed_stores.latest.status(feed)
            lag = fields.get("lag_seconds")
            yield LiveFeed(
                feed.name, fields.get("last_event_time", NOTHING), float(lag) if lag else None
            )

    def _slot(self) -> SlotStatus | None:
        chosen = is_chosen("tt", self._settings.platform.only)
        board = self._tt_stores.slot_board.read() if chosen else None
        if board is None:
            return None
        missed = missed_in_a_row(open_hours(self._settings), board, datetime.now(UTC))
        problem = "" if board.whole else board.reason or "not whole"
        return SlotStatus(board.slot, board.seconds, problem, missed or 0)

    def close(self) -> None:
        """Give the connections back."""
        self._feed_stores.close()


def folder_bytes(folder: Path) -> int:
    """What the files of a folder take on the disk; files that go meanwhile are left out."""
    found = 0
    for path in folder.glob("**/*"):
        with contextlib.suppress(OSError):
            found += path.lstat().st_blocks * 512
    return found


def program_line(states: Mapping[str, ProgramState], programs: Iterable[Program]) -> str:
    """`9/9 programs run`, or which do not and what they do instead."""
    expected = [program.name for program in programs]
    down = [
        f"{name} {states[name].state.lower() if name in states else 'unknown'}"
        for name in expected
        if name not in states or not states[name].is_running
    ]
    running = f"{len(expected) - len(down)}/{len(expected)} programs run"
    return f"{running} ({', '.join(down)})" if down else running


def data_line(status: StackStatus) -> str:
    """Size of the history, last event and lag of the live feeds, the queue, and the slots."""
    if status.problem:
        return status.problem
    parts = [f"history {status.history_bytes / 1e6:,.0f} MB"]
    for feed in status.feeds:
        if feed.last_event_time != NOTHING:
            lag = NOTHING if feed.lag_seconds is None else f"{feed.lag_seconds:.2f} s"
            parts.append(f"{feed.name} {_clock(feed.last_event_time)} lag {lag}")
    if status.queue:
        parts.append(f"queue {status.queue.waiting + status.queue.in_flight}")
        parts.append(f"dead letters {status.queue.dead}")
    if status.tt:
        parts.append(_slot_text(status.tt))
    return " · ".join(parts)


def _slot_text(tt: SlotStatus) -> str:
    result = tt.problem if tt.problem else f"in {tt.seconds:.2f} s"
    missed = f", {tt.missed_in_a_row} missed" if tt.missed_in_a_row else ""
    return f"TT {tt.slot:%H:%M:%S}Z {result}{missed}"


def _clock(iso_time: str) -> str:
    """The time of day of an ISO time, to the second."""
    return f"{iso_time.partition('T')[2][:8] or iso_time}Z"


def where_rows(
    settings: Settings, paths: StackPaths, programs: Iterable[Program]
) -> list[tuple[str, str, str]]:
    """What runs where, and its log; the Dagster UI first."""
    names = {program.name for program in programs}
    rows = [
        (
            "Dagster UI",
            f"http://{LOOPBACK}:{settings.local.dagster_port}",
            str(paths.log("webserver")),
        ),
        ("Dagster daemon, runs", str(paths.home / "dagster"), str(paths.log("daemon"))),
        ("Redis (latest)", settings.redis_display_url, str(paths.log("redis"))),
        ("AWS stand-in", str(settings.aws_endpoint), str(paths.log("ministack"))),
        ("  bucket", f"s3://{settings.bucket}", ""),
        ("  queue", settings.queue_name, ""),
        (
            "DynamoDB",
            str(settings.aws_endpoint_of(AwsService.DYNAMODB)),
            str(paths.log("dynalite" if "dynalite" in names else "ministack")),
        ),
        ("  history table", settings.history_table, ""),
        ("  ledger table", settings.ledger_table, ""),
    ]
    if "desk" in names:
        rows.append(("simulated desk", str(paths.outbox), str(paths.log("desk"))))
        rows.append(("push agent", f"{paths.outbox} → s3", str(paths.log("push"))))
    if "tt" in names:
        rows.append(("TT simulator", settings.tt_url, str(paths.log("tt"))))
    return rows


def where_table(rows: Iterable[tuple[str, str, str]]) -> Table:
    """The same for a terminal."""
    table = Table("what", "where", "log", title="trade-assets", title_justify="left")
    for what, where, log in rows:
        table.add_row(what, where, log)
    return table
