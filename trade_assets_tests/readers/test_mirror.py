"""The mirror says what Redis says, whatever happens to Redis and to the stream of its updates."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from random import Random

import orjson
import pytest

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY
from trade_assets.readers.mirror import Change, Mirror, MirroredSet
from trade_assets.settings import Settings
from trade_assets.stores.redis.latest_store import LatestStore
from trade_assets.tt.formats.positions_snapshot import POSITIONS
from trade_assets_tests.stores.samples import HOUR, SPOT, raw_redis, records, spot_key
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

START = HOUR.replace(minute=33)


def put(store: LatestStore, seconds: int, bids: Mapping[str, float]) -> None:
    """Offer quotes of a file of so many seconds behind the first."""
    store.write(
        SPOT,
        records(
            SPOT,
            (
                {
                    RECORD_KEY: key, EVENT_TIME: START + timedelta(seconds=seconds),
                    FILE_KEY: spot_key(seconds), "bid_price": bid,
                }
                for key, bid in bids.items()
            ),
        ),
    )  # fmt: skip


def bids(mirrored: MirroredSet) -> dict[str, float]:
    return {key: orjson.loads(record.json)["bid_price"] for key, record in mirrored.records.items()}


@asynccontextmanager
async def mirroring(settings: Settings) -> AsyncIterator[Mirror]:
    mirror = Mirror(settings, [SPOT, POSITIONS])
    task = asyncio.create_task(mirror.run())
    try:
        await until(lambda: all(item.read_at for item in mirror.sets.values()), "all is read")
        yield mirror
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not holds():
        assert asyncio.get_running_loop().time() < deadline, f"never: {what}"
        await asyncio.sleep(0.01)


def running(body: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(body(), PATIENCE_SECONDS))


@pytest.fixture
def store(settings: Settings) -> LatestStore:
    return LatestStore(settings)


def test_what_is_there_and_what_changes(settings: Settings, store: LatestStore) -> None:
    put(store, 0, {"ZN": 110.5, "ZF": 108.0})
    told: list[Change] = []

    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            assert bids(spot) == {"ZN": 110.5, "ZF": 108.0}
            end = mirror.listen(lambda _, change: told.append(change))
            await asyncio.to_thread(put, store, 1, {"ZN": 110.75})
            await until(lambda: bids(spot) == {"ZN": 110.75, "ZF": 108.0}, "the change is there")
            assert spot.newest == "2025-07-17T19:33:01.000000Z"
            assert orjson.loads(spot.records["ZN"].json)["ask_price"] is None
            end()
            await asyncio.to_thread(put, store, 2, {"ZF": 109.0})
            await until(lambda: bids(spot)["ZF"] == 109.0, "the other change is there")

    running(body)
    assert told == [Change(whole=False, changed=("ZN",), gone=())]


def test_a_record_that_goes_is_gone(settings: Settings, store: LatestStore) -> None:
    put(store, 0, {"ZN": 110.5, "ZF": 108.0})

    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            with raw_redis(settings) as client:
                client.delete("latest:actant:spot_risk:ZF")
                client.xadd("updates:actant:spot_risk", {"record_keys": '["ZF"]'})
            await until(lambda: bids(spot) == {"ZN": 110.5}, "it is gone")

    running(body)


def test_a_replaced_set_is_one_picture(settings: Settings, store: LatestStore) -> None:
    def replace(second: int, names: list[str]) -> None:
        moment = START + timedelta(seconds=second)
        key = f"snapshots/tt/env/positions/dt=2025-07-17/hh=19/{second:02}.json"
        rows = [{RECORD_KEY: name, EVENT_TIME: moment, FILE_KEY: key} for name in names]
        store.replace(POSITIONS, records(POSITIONS, rows), key, moment)  # type: ignore[arg-type]

    replace(0, ["A", "B"])

    async def body() -> None:
        async with mirroring(settings) as mirror:
            positions = mirror.sets[POSITIONS.path]
            assert positions.records.keys() == {"A", "B"}
            await asyncio.to_thread(replace, 1, ["B", "C"])
            await until(lambda: positions.records.keys() == {"B", "C"}, "the next picture")

    running(body)


def test_who_was_left_behind_reads_the_whole_again(settings: Settings, store: LatestStore) -> None:
    put(store, 0, {"A": 1.0, "B": 1.0})
    wholes: list[bool] = []

    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            mirror.listen(lambda _, change: wholes.append(change.whole))
            # All in one: nobody can follow in between.
            with raw_redis(settings) as client, client.pipeline() as pipe:
                pipe.hset("latest:actant:spot_risk:A", "bid_price", "2.0")
                pipe.xtrim("updates:actant:spot_risk", maxlen=0)
                pipe.xadd("updates:actant:spot_risk", {"record_keys": '["B"]'})
                pipe.execute()
            await until(lambda: bids(spot)["A"] == 2.0, "what the stream lost is there")

    running(body)
    assert True in wholes


def test_an_emptied_redis_is_noticed_without_any_update(
    settings: Settings, store: LatestStore
) -> None:
    put(store, 0, {"A": 1.0})

    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            with raw_redis(settings) as client:
                client.flushdb()
            await until(lambda: not spot.records, "all is gone")
            await asyncio.to_thread(put, store, 1, {"B": 2.0})
            await until(lambda: bids(spot) == {"B": 2.0}, "what is new is there")

    running(body)


def test_lost_connections_are_made_again(settings: Settings, store: LatestStore) -> None:
    put(store, 0, {"A": 1.0})

    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            with raw_redis(settings) as client:
                client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            await asyncio.to_thread(put, LatestStore(settings), 1, {"A": 2.0})
            await until(lambda: bids(spot) == {"A": 2.0}, "it follows again")
            assert spot.away_since is None

    running(body)


def test_nobody_is_told_an_older_value_after_a_newer_one(
    settings: Settings, store: LatestStore
) -> None:
    random, last = Random(7), {"seconds": 0}
    seen: dict[str, str] = {}

    def heard(mirrored: MirroredSet, change: Change) -> None:
        for key in change.changed:
            moment = mirrored.records[key].texts[EVENT_TIME]
            assert seen.get(key, "") <= moment
            seen[key] = moment

    def write() -> None:
        for _ in range(300):
            seconds = random.randrange(1000)
            last["seconds"] = max(last["seconds"], seconds)
            put(store, seconds, {key: float(seconds) for key in "ABCDE"})

    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            mirror.listen(heard)
            await asyncio.to_thread(write)
            newest = dict.fromkeys("ABCDE", float(last["seconds"]))
            await until(lambda: bids(spot) == newest, "the newest is there")

    running(body)
    assert seen


def test_a_mirror_of_nothing_knows_that_it_has_looked(settings: Settings) -> None:
    async def body() -> None:
        async with mirroring(settings) as mirror:
            spot = mirror.sets[SPOT.path]
            assert spot.read_at is not None
            assert spot.read_at <= datetime.now(UTC)
            assert (spot.records, spot.newest) == ({}, "")

    running(body)
