"""The slot sensor on a real instance and the real local parts: what it requests, and when."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from trade_assets.defs.shared.names import FRESHNESS_CHECK, HOUR_REPORT_JOB, SLOT_JOB, SLOT_TAG
from trade_assets.defs.tt import slot_sensor as slot_sensor_module
from trade_assets.defs.tt.slot_watch import PAUSE_SECONDS, REACH_SECONDS
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT
from trade_assets.tt.slots.slot_log import SlotState
from trade_assets_tests.defs.tt.ticking import NOON, FakeClock, SlotTicker, key
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

seconds_for_tasks = slot_sensor_module._seconds_for_tasks


@pytest.fixture(autouse=True)
def _time_for_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a tick does beside the slots is done when it ends, however long that takes."""
    monkeypatch.setattr(slot_sensor_module, "_seconds_for_tasks", lambda _: PATIENCE_SECONDS)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path)) as made:
        yield made


@pytest.fixture
def ticker(module_settings: Settings, instance: dg.DagsterInstance) -> Iterator[SlotTicker]:
    """One whose stores others have written to."""
    with Stores(module_settings) as stores:
        yield SlotTicker(stores, instance)


@pytest.fixture
def own_ticker(provisioned: Settings, instance: dg.DagsterInstance) -> Iterator[SlotTicker]:
    """One whose stores are empty."""
    with Stores(provisioned) as stores:
        yield SlotTicker(stores, instance)


@pytest.fixture
def other_ticker(
    local_parts: LocalParts, tmp_path: Path, instance: dg.DagsterInstance
) -> Iterator[Callable[..., SlotTicker]]:
    """Makes one with other settings."""
    with ExitStack() as made:

        def make(**overrides: object) -> SlotTicker:
            settings = local_parts.settings(tmp_path / "home", **overrides)
            if "aws_endpoint_url" not in overrides:
                provision(settings)
            return SlotTicker(made.enter_context(Stores(settings)), instance)

        yield make


def test_a_tick_waits_for_a_near_slot_and_requests_its_one_run(ticker: SlotTicker) -> None:
    result = ticker.tick(25)
    (request,) = result.run_requests or []
    assert (request.job_name, request.run_key) == (SLOT_JOB, key(30))
    assert request.tags[SLOT_TAG] == key(30)
    assert request.run_config == {"ops": {"take_slot": {"config": {"slot": key(30)}}}}
    assert ticker.clock.now == NOON + SLOT
    assert ticker.requested(30.5) == []
    assert ticker.requested(55) == [key(60)]


def test_a_tick_does_not_wait_for_a_slot_that_is_far(ticker: SlotTicker) -> None:
    ticker.tick(0)
    assert "next slot 18:00:30" in ticker.said(30 - REACH_SECONDS - 1)
    assert ticker.clock.slept == 0


def test_a_tick_in_the_first_moment_of_a_slot_requests_it_at_once(ticker: SlotTicker) -> None:
    assert ticker.requested(0.4) == [key(0)]
    assert ticker.clock.slept == 0


def test_a_clock_that_jumps_while_a_tick_waits_is_noticed(ticker: SlotTicker) -> None:
    ticker.tick(0)
    ticker.clock = FakeClock(jumps={1.0: 600.0})
    del ticker.__dict__["sensor"]
    assert ticker.requested(25) == [key(630)]
    assert ticker.clock.now == NOON + 21 * SLOT
    assert ticker.clock.slept <= 5.0 + PAUSE_SECONDS
    (note,) = ticker.slots.notes
    assert (note.first, note.last) == (NOON + SLOT, NOON + 20 * SLOT)


def test_a_clock_that_goes_back_while_a_tick_waits_does_not_hold_it(ticker: SlotTicker) -> None:
    ticker.clock = FakeClock(jumps={1.0: -3600.0})
    assert ticker.requested(25) == [key(-3600 + 30)]
    assert ticker.clock.slept <= REACH_SECONDS + 1
    assert ticker.requested(-3600 + 55) == [key(-3600 + 60)]


def test_a_slot_behind_a_slow_run_is_taken_when_that_ends(ticker: SlotTicker) -> None:
    ticker.tick(0)
    run_id = ticker.start_run(0)
    said = ticker.said(30)
    assert "slot 18:00:30 waits, run of slot 18:00:00 is active" in said
    ticker.end_run(run_id)
    assert ticker.requested(47) == [key(30)]


def test_the_newest_slot_wins_and_the_other_says_why(own_ticker: SlotTicker) -> None:
    own_ticker.tick(0)
    run_id = own_ticker.start_run(0)
    own_ticker.tick(30)
    own_ticker.tick(60)
    own_ticker.end_run(run_id)
    assert own_ticker.requested(75) == [key(60)]
    (note,) = own_ticker.stores.slot_log.notes(NOON + SLOT, NOON + timedelta(hours=1))
    assert (note.first, note.state) == (NOON + SLOT, SlotState.SKIPPED)
    assert note.reason == "run of slot 18:00:00 still active"


def test_a_dead_run_is_ended_in_the_books_and_in_nobodys_way(ticker: SlotTicker) -> None:
    started = datetime.now(UTC)
    run_id = ticker.start_run(0)
    ticker.clock.now = started + timedelta(hours=2)
    ticker.clock.now += timedelta(seconds=29 - ticker.clock.now.second % 30)
    assert len(ticker.requested()) == 1
    run = ticker.instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is dg.DagsterRunStatus.FAILURE


def test_missed_slots_are_in_the_log_at_the_next_tick(own_ticker: SlotTicker) -> None:
    own_ticker.tick(0)
    own_ticker.tick(612)
    own_ticker.tick(613)
    (note,) = own_ticker.stores.slot_log.notes(NOON, NOON + timedelta(hours=1))
    assert (note.first, note.last) == (NOON + SLOT, NOON + 20 * SLOT)
    assert (note.state, note.reason) == (SlotState.MISSED, "the daemon was not looking")
    assert own_ticker.slots.notes == []


def test_notes_stay_in_the_cursor_while_the_log_is_away(
    other_ticker: Callable[..., SlotTicker],
) -> None:
    ticker = other_ticker(
        aws_endpoint_url=f"http://{LOOPBACK}:1", store_retry_seconds=0.05,
    )  # fmt: skip
    ticker.tick(0)
    ticker.tick(312)
    assert "notes wait" in ticker.said(313)
    assert len(ticker.slots.notes) == 1
    assert ticker.requested(325) == [key(330)]


def test_a_redis_that_is_away_stops_no_slot(
    other_ticker: Callable[..., SlotTicker],
) -> None:
    ticker = other_ticker(redis_url=f"redis://{LOOPBACK}:1/0", store_retry_seconds=0.05)
    assert "Redis" in ticker.said(2 * REACH_SECONDS - 1)
    assert ticker.requested(25) == [key(30)]


@pytest.mark.parametrize(("second", "seconds"), [(1, 3.0), (27.5, 2.0), (29.25, 0.25), (29.75, 0)])
def test_the_rest_of_a_tick_ends_before_the_next_slot(second: float, seconds: float) -> None:
    assert seconds_for_tasks(NOON + timedelta(seconds=second)) == seconds


def test_a_redis_that_hangs_stops_no_slot(
    other_ticker: Callable[..., SlotTicker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot_sensor_module, "_seconds_for_tasks", seconds_for_tasks)
    with socket.create_server((LOOPBACK, 0)) as silent:
        port = silent.getsockname()[1]
        ticker = other_ticker(redis_url=f"redis://{LOOPBACK}:{port}/0")
        assert "still under way" in ticker.said(19.3 - REACH_SECONDS + 10)
        assert ticker.requested(29.3) == [key(30)]


def test_freshness_is_reported_when_it_changes(own_ticker: SlotTicker) -> None:
    events = own_ticker.tick(10).asset_events
    first = [isinstance(event, dg.AssetCheckEvaluation) and event.check_name for event in events]
    assert first == [FRESHNESS_CHECK] * len(SNAPSHOTS)
    assert not own_ticker.tick(11).asset_events


def test_the_report_of_an_hour_is_requested_once_after_it_is_over(ticker: SlotTicker) -> None:
    ticker.tick(0)
    assert ticker.tick(3600 + 78).run_requests == []
    (request,) = ticker.tick(3600 + 97).run_requests or []
    assert (request.job_name, request.partition_key) == (HOUR_REPORT_JOB, "2026-11-18-18:00")
    assert request.run_key == "2026-11-18-18:00"
    assert ticker.tick(3600 + 98).run_requests == []


def test_switched_off_it_requests_nothing_and_misses_nothing(
    other_ticker: Callable[..., SlotTicker],
) -> None:
    on = other_ticker()
    on.tick(0)
    off = other_ticker(tt_snapshots_enabled=False)
    off.cursor = on.cursor
    assert "TRADE_ASSETS_TT_SNAPSHOTS_ENABLED" in off.said(29)
    on.cursor = off.cursor
    assert on.requested(7195) == [key(7200)]
    assert on.slots.notes == []
    on.stores.close()
    off.stores.close()
