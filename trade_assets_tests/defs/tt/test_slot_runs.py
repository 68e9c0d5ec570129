"""Which unfinished runs are in the way of a slot: those that ask TT, or may be about to."""

from datetime import UTC, datetime, timedelta

from trade_assets.defs.tt.slot_runs import LEASE_AFTER, LeaseLook, without_lease
from trade_assets.errors import StoreUnavailableError
from trade_assets.settings import Settings
from trade_assets.tt.formats.slot_times import slot_text
from trade_assets.tt.slots.schedule import ActiveRun
from trade_assets_tests.support.stores import Stores

NOW = datetime(2026, 11, 18, 18, 1, tzinfo=UTC)
SLOT = NOW - timedelta(seconds=30)
LONG_AGO = NOW - LEASE_AFTER - timedelta(seconds=1)
OLD = ActiveRun("old", SLOT, LONG_AGO, begun_at=LONG_AGO)
NEW = ActiveRun("new", NOW, LONG_AGO, begun_at=NOW)
WAITING = ActiveRun("waiting", SLOT, LONG_AGO)


def nobody() -> None:
    return None


def test_a_run_that_gave_the_lease_back_or_died_is_in_nobodys_way() -> None:
    assert [run.asks for run in without_lease([OLD, NEW], NOW, nobody)] == [False, True]


def test_a_run_that_has_the_lease_is_in_the_way() -> None:
    held = without_lease([OLD, NEW], NOW, lambda: f"{slot_text(SLOT)} old")
    assert [run.asks for run in held] == [True, True]


def test_a_run_that_waits_for_its_process_may_yet_ask() -> None:
    assert without_lease([OLD, WAITING], NOW, nobody)[1] == WAITING


def test_nobody_looks_while_every_run_is_new() -> None:
    def look() -> None:
        raise AssertionError

    assert without_lease([NEW], NOW, look) == [NEW]


def test_without_redis_every_run_may_be_asking() -> None:
    def look() -> None:
        raise StoreUnavailableError("away")

    assert without_lease([OLD], NOW, look) == [OLD]


def test_the_lease_is_looked_at_in_redis(settings: Settings) -> None:
    with Stores(settings) as stores:
        look = LeaseLook(settings)
        assert look.holder() is None
        lease = stores.slot_lease.acquire(30, "20261118T180030Z run-id")
        assert lease is not None
        with lease:
            assert look.holder() == "20261118T180030Z run-id"
        assert look.holder() is None
        look.close()
