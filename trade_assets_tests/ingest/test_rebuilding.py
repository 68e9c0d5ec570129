"""Redis emptied, and rebuilt from what is kept: the same as before, whatever is in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trade_assets.datasets.registry import all_datasets
from trade_assets.errors import StoreUnavailableError
from trade_assets.ingest.rebuilding import Progress, RebuildBoard, Rebuilder, planned, rebuild_redis
from trade_assets.ingest.redis_life import LifeState, RedisLife
from trade_assets.settings import Settings
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets_tests.feeds.stream.derived_files import (
    CALLS,
    chain_bytes,
    sod_bytes,
    sod_key,
    times_bytes,
    times_key,
)
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import (
    HOUR,
    SPOT,
    ledger_bytes,
    ledger_key,
    raw_redis,
    spot_key,
)
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.tt.slots.conftest import new_desk
from trade_assets_tests.tt.slots.model import ZN

NEXT = HOUR + timedelta(hours=1)
WIDER = b"Key,BID,ASK,STRIKE,ITYPE,VEGA\nXCME.ZN.SEP25,110.75,111,,F,17.5\n"
FILES = {
    times_key(0): times_bytes(2.0),
    sod_key(): sod_bytes(5, 110.0),
    spot_key(1): chain_bytes(110.5),
    spot_key(60): chain_bytes(110.75, calls=CALLS[:2]),
    ledger_key(): ledger_bytes([111.5, 111.25]),
    ledger_key(NEXT): ledger_bytes([111.5, 111.25, 111.0]),
    spot_key(3605, NEXT): WIDER,
    # Late: of an hour before, and of another time than what came already.
    spot_key(2, NEXT): chain_bytes(111.0),
}

LIVE = ("updates:", "life:", "stream:", "protection:", "tt:", "slots:", "lease:")
"""What is no record: of the moment, or made anew by whoever needs it."""


def contents(settings: Settings) -> dict[str, Any]:
    """All that Redis keeps of the data sets; of the status, not when a file was ingested."""
    found: dict[str, Any] = {}
    with raw_redis(settings) as client:
        for key in client.scan_iter(count=1000):
            kind = client.type(key)
            if kind == "hash":
                fields: Any = client.hgetall(key)
                if key.startswith("status:"):
                    fields = {name: fields[name] for name in ("last_file", "last_event_time")}
                # Statements count how often they were said.
                found[key] = {name: fields[name] for name in fields if name != "revision"}
            elif kind == "set":
                found[key] = client.smembers(key)
            elif kind == "zset":
                found[key] = client.zrange(key, 0, -1, withscores=True)
    return {key: value for key, value in found.items() if not key.startswith(LIVE)}


@pytest.fixture
def filled(provisioned_stores: Stores) -> Stores:
    """Stores with files of every hour, and three slots of a TT account that changed meanwhile."""
    stores = provisioned_stores
    for key, data in FILES.items():
        with consuming(stores):
            stores.objects.put(key, data)
            drained(stores, key)
    desk = new_desk(stores.settings, stores)
    slot = slot_at(datetime.now(UTC)) - 4 * SLOT
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for number in range(3):
        at = slot + number * SLOT
        nanoseconds = (at - epoch) // timedelta(microseconds=1) * 1000
        desk.model.order(f"o{number}", 110.5, nanoseconds)
        desk.model.fill(f"f{number}", nanoseconds)
        desk.model.position(3.0 + number, ZN)
        if number:
            del desk.model.orders[f"o{number - 1}"]
        desk.clock.at(at)
        assert desk.taker().take(at, "run").whole
    return stores


def life_of(stores: Stores) -> RedisLife:
    connections = stores.connections
    return RedisLife(connections.settings, connections.redis, connections.dynamodb)


def flush(settings: Settings) -> None:
    with raw_redis(settings) as client:
        client.flushdb()


def test_an_emptied_redis_has_the_same_again(filled: Stores, provisioned: Settings) -> None:
    life = life_of(filled)
    life.begin()
    before = contents(provisioned)
    status = filled.latest.status(SPOT)
    board = filled.slot_board.read()
    assert {key.split(":")[0] for key in before} == {
        "latest", "keys", "set", "status", "coverage", "columns", "statement",
    }  # fmt: skip
    flush(provisioned)
    assert life.look() is LifeState.LOST
    said: list[Progress] = []
    done = rebuild_redis(filled.connections, said.append)
    assert contents(provisioned) == before
    assert life.look() is LifeState.KEPT
    assert RebuildBoard(filled.connections.redis).read() is None
    assert (done.done, done.total) == (len(said), len(said))
    assert done.records > 0

    again = filled.latest.status(SPOT)
    ingested = [datetime.fromisoformat(item["last_ingest_time"]) for item in (status, again)]
    assert abs(ingested[0] - ingested[1]) < timedelta(seconds=60)
    shown = filled.slot_board.read()
    assert shown is not None
    assert board is not None
    assert (shown.slot, shown.last_whole) == (board.slot, board.last_whole)


def test_rebuilding_what_is_whole_changes_nothing(filled: Stores, provisioned: Settings) -> None:
    before = contents(provisioned)
    done = rebuild_redis(filled.connections, lambda _: None)
    assert contents(provisioned) == before
    assert done.records == 0


def test_what_comes_meanwhile_stays(filled: Stores, provisioned: Settings) -> None:
    flush(provisioned)
    came = spot_key(3700, NEXT)

    def comes(progress: Progress) -> None:
        if progress.done == 1:
            with consuming(filled):
                filled.objects.put(came, chain_bytes(99.0))
                drained(filled, came)

    rebuild_redis(filled.connections, comes)
    assert filled.latest.read(SPOT, [CALLS[0]])[0]["file_key"] == came
    assert filled.latest.status(SPOT)["last_file"] == came


def test_a_loss_meanwhile_is_an_error_and_stays_a_loss(
    filled: Stores, provisioned: Settings
) -> None:
    life_of(filled).begin()

    def lose(progress: Progress) -> None:
        if progress.done == 2:
            flush(provisioned)

    with pytest.raises(StoreUnavailableError, match="again"):
        rebuild_redis(filled.connections, lose)
    assert life_of(filled).look() is LifeState.LOST


class Planned:
    """A rebuilder of which only the plan matters."""

    def __init__(self, path: str, first: bool, *hours: str) -> None:
        self.dataset = all_datasets()[path]
        self.first = first
        self._hours = hours

    def hours(self) -> tuple[str, ...]:
        """As it was made."""
        return self._hours

    def rebuild(self, hour: str) -> Iterator[int]:
        """Nothing."""
        yield 0


def test_the_newest_hours_of_all_come_first_behind_what_others_look_at() -> None:
    makers: list[Rebuilder] = [
        Planned("actant/spot_risk", False, "2026-11-29-23:00", "2026-11-30-01:00"),
        Planned("tt/fills", False, "2026-11-30-00:00"),
        Planned("actant/sod", True, "2026-11-01-00:00", "2026-11-30-00:00"),
    ]
    assert [(item.dataset.name, hour[8:13]) for item, hour in planned(makers)] == [
        ("sod", "30-00"), ("sod", "01-00"),
        ("spot_risk", "30-01"), ("fills", "30-00"), ("spot_risk", "29-23"),
    ]  # fmt: skip
