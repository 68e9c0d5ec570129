"""The lease of snapshots, in a real Redis."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from trade_assets.errors import StoreUnavailableError
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, TtEnvironment
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.slots.slot_lease import HeldLease, SlotLease
from trade_assets_tests.stores.samples import raw_redis

KEY = "lease:tt:ext_prod_sim"


@pytest.fixture
def lease(settings: Settings) -> Iterator[SlotLease]:
    client = connect(settings)
    yield SlotLease(settings, client)
    disconnect(client)


def acquired(lease: SlotLease, holder: str = "run-1", seconds: float = 30) -> HeldLease:
    held = lease.acquire(seconds, holder)
    assert held is not None
    return held


def test_one_has_it_and_gives_it_back(lease: SlotLease) -> None:
    assert lease.holder() is None
    with acquired(lease, "run-1") as held:
        assert held.still_held()
        assert lease.holder() == "run-1"
        assert lease.acquire(30, "run-2") is None
    assert not held.still_held()
    assert lease.holder() is None
    acquired(lease, "run-2").release()


def test_of_many_at_once_exactly_one_gets_it(lease: SlotLease) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: lease.acquire(30, f"run-{number}"), range(32)))
    assert sum(held is not None for held in found) == 1


def test_it_runs_out_by_itself(lease: SlotLease, settings: Settings) -> None:
    acquired(lease, seconds=30)
    with raw_redis(settings) as client:
        assert 0 < int(str(client.pttl(KEY))) <= 30_000


def test_who_lost_it_sees_that_and_does_not_take_the_next_ones(
    lease: SlotLease, settings: Settings
) -> None:
    lost = acquired(lease, "slow")
    with raw_redis(settings) as client:
        client.delete(KEY)  # what expiry does
    assert not lost.still_held()
    other = acquired(lease, "next")
    lost.release()
    assert other.still_held()
    assert lease.holder() == "next"


def test_environments_do_not_wait_for_each_other(lease: SlotLease, settings: Settings) -> None:
    acquired(lease)
    live = settings.changed({"tt_environment": TtEnvironment.LIVE})
    client = connect(live)
    acquired(SlotLease(live, client))
    disconnect(client)


def test_it_works_on_a_cluster(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    lease = SlotLease(redis_cluster_settings, client)
    with acquired(lease) as held:
        assert held.still_held()
        assert lease.acquire(30, "other") is None
    assert lease.holder() is None
    disconnect(client)


def test_without_redis_nobody_gets_it(settings: Settings) -> None:
    url = type(settings.stores.redis_url)(f"redis://{LOOPBACK}:{free_port()}/0")
    client = connect(settings.changed({"redis_url": url}))
    with pytest.raises(StoreUnavailableError):
        SlotLease(settings, client).acquire(30, "run-1")
    disconnect(client)
