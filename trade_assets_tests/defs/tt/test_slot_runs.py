"""Which unfinished runs are in the way of a slot: those that ask TT, or may be about to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from trade_assets.defs.shared.names import SLOT_JOB
from trade_assets.defs.tt.slot_runs import (
    LEASE_AFTER,
    LeaseLook,
    unfinished_slot_runs,
    without_lease,
)
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


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def nobody() -> None:
    return None


def test_a_run_that_gave_the_lease_back_or_died_is_in_nobodys_way() -> None:
    assert [run.asks for run in without_lease([OLD, NEW], NOW, nobody, LONG_AGO)] == [False, True]


def test_a_run_that_has_the_lease_is_in_the_way() -> None:
    held = without_lease([OLD, NEW], NOW, lambda: f"{slot_text(SLOT)} old", LONG_AGO)
    assert [run.asks for run in held] == [True, True]


def test_a_run_that_waits_for_its_process_may_yet_ask() -> None:
    assert without_lease([OLD, WAITING], NOW, nobody, LONG_AGO)[1] == WAITING


def test_a_run_whose_code_server_died_before_it_began_is_in_nobodys_way() -> None:
    before, after = NOW - timedelta(seconds=9), NOW - timedelta(seconds=5)
    lost = ActiveRun("lost", SLOT, LONG_AGO, launched_at=before)
    coming = ActiveRun("coming", SLOT, LONG_AGO, launched_at=after)
    loaded_at = NOW - timedelta(seconds=7)
    found = without_lease([lost, coming, WAITING], NOW, nobody, loaded_at)
    assert [run.asks for run in found] == [False, True, True]


def test_the_books_say_which_run_was_launched(instance: dg.DagsterInstance) -> None:
    for status in (dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING):
        instance.add_run(dg.DagsterRun(job_name=SLOT_JOB, status=status))
    begun, starting = unfinished_slot_runs(instance)
    assert begun.launched_at is None
    assert starting.launched_at is not None


def test_nobody_looks_while_every_run_is_new() -> None:
    def look() -> None:
        raise AssertionError

    assert without_lease([NEW], NOW, look, LONG_AGO) == [NEW]


def test_without_redis_every_run_may_be_asking() -> None:
    def look() -> None:
        raise StoreUnavailableError("away")

    assert without_lease([OLD], NOW, look, LONG_AGO) == [OLD]


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
