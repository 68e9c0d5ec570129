"""What these tests need: the command line run as a user runs it, and stores with a few records."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import polars as pl
import pytest

from trade_assets.cli.main import main
from trade_assets.datasets.dataset import Feed, to_records
from trade_assets.datasets.keys import feed_file_key
from trade_assets.datasets.records import EVENT_TIME
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS
from trade_assets.settings import Settings, child_environment
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import slot_at
from trade_assets.tt.formats.snapshot_keys import snapshot_key
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets_tests.support.stores import Stores

RISK_HEADER = """\
Key,BID,ASK,STRIKE,ITYPE,ADJTHEOR,IVBID,IVASK,IVAVERAGE
Type,VAR_PRICE,VAR_PRICE,VAR_STRIKE,VAR_TYPE,VAR_PRICE,VAR_VOL,VAR_VOL,VAR_VOL
"""
FUTURE = "XCME.ZN.SEP25"
CALL = "XCME.VY3.21JUL25.110:75.C"
PUT = "XCME.VY3.21JUL25.111.P"
RISK_ROWS = f"""\
{FUTURE},110.546875,110.5625,,F,110.55,,,
{CALL},.0069999,.015625,110.75,C,.01,INVALID,1628.67,4.1
{PUT},.1,.30000000000000004,111,P,,,,
"""
TRADES = """\
tradeId,instrumentName,marketTradeTime,buySell,quantity,price
1001,XCMEFFDPSX20250919U0ZN,2025-07-17 08:01:02.125,B,12,110.515625
1002,XCMEFFDPSX20250919U0ZN,2025-07-17 09:30:00,S,3,110.5
"""
AT_NINE = "bav_analysis_20250717_090000.csv"
NINE = "2025-07-17T14:00:00.000000Z"
"""The event time of `AT_NINE`: nine o'clock in Chicago, in UTC."""
THERE_ARE = (
    "there are actant/eod, actant/futures_settlement, actant/options_settlement, actant/pnl_grid, "
    "actant/sod, actant/spot_risk, actant/vtexp, derived/greeks, derived/positions, tt/fills, "
    "tt/instruments, tt/orders, tt/positions, tt/tt_fills"
)
"""What the message about an unknown feed ends with."""


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON, every number with its digits."""
        return json.loads(self.out, parse_float=Decimal, parse_int=Decimal)


Run = Callable[..., Outcome]


@contextmanager
def http_server(answer: bytes) -> Iterator[int]:
    """Somebody who answers every GET on a port of this machine with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def runner(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs `trade-assets` with arguments, under settings, as the installed program does."""
    for name, value in child_environment(settings).items():
        if name.startswith("TRADE_ASSETS_"):
            monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["trade-assets", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run


def records_of(feed: Feed, file_name: str, text: str) -> pl.DataFrame:
    """Records of a file as if it had just landed."""
    key = feed_file_key(feed, file_name, datetime.now(UTC))
    return to_records(feed, feed.parse(text.encode(), file_name), key)


def store(stores: Stores, feed: Feed, file_name: str, text: str, *, history: bool = True) -> None:
    """Store a file's records, and note it in the feed's status, as the stream does."""
    records = records_of(feed, file_name, text)
    stores.latest.write(feed, records)
    if history:
        stores.history.write(feed, records)
    newest = records[EVENT_TIME].max()
    assert isinstance(newest, datetime)
    stores.latest.write_status(feed, records["file_key"][0], newest, datetime.now(UTC), 0.052)


def store_samples(stores: Stores, *, history: bool = True) -> None:
    """A spot-risk file of three rows and a ledger of two trades."""
    store(stores, SPOT_RISK, AT_NINE, RISK_HEADER + RISK_ROWS, history=history)
    store(stores, FILLS, "trades_20250717.csv", TRADES, history=history)


def freshen(stores: Stores) -> None:
    """Note for every feed that a file has just come; a file of before that day, so that what a test
    stores is newer."""
    before, now = datetime(2025, 7, 16, tzinfo=UTC), datetime.now(UTC)
    for feed in FEEDS.values():
        file_key = feed_file_key(feed, "of-before", before)
        stores.latest.write_status(feed, file_key, before, now, 0.052)


FRESHNESS = "TRADE_ASSETS_FRESHNESS_SECONDS"
MISSED_SLOTS = "TRADE_ASSETS_ALARM_MISSED_SLOTS"


def never_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is fresh when a test begins be so when it looks, however long that takes."""
    monkeypatch.setenv(FRESHNESS, json.dumps(dict.fromkeys([*FEEDS, *SNAPSHOTS], 86_400)))
    monkeypatch.setenv(MISSED_SLOTS, "1000")


def freshen_slots(stores: Stores, slot: datetime | None = None) -> datetime:
    """Note that a slot (default: the newest) is whole, in 0.8 s; returns it."""
    slot = slot or slot_at(datetime.now(UTC))
    environment = stores.settings.tt.environment.value
    for snapshot in SNAPSHOTS.values():
        file_key = snapshot_key(environment, snapshot.kind, slot)
        stores.latest.write_status(snapshot, file_key, slot, datetime.now(UTC), 0.8)
    kinds = dict.fromkeys((snapshot.kind for snapshot in SNAPSHOTS.values()), "taken")
    stores.slot_board.write_taken(
        SlotSummary(slot, True, 0.8, offset_seconds=0.05, kinds=kinds, run_id="run-of-slot")
    )
    return slot
