"""The TT part of `trade-assets status`: what it finds, and what it calls a problem."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from trade_assets.errors import RemoteUnavailableError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.market.trading_days import CENTRAL
from trade_assets.monitor.alarms.conditions import Condition
from trade_assets.monitor.alarms.evaluator import AlarmEvaluator
from trade_assets.monitor.alarms.notifier import Notifier
from trade_assets.ports import free_port
from trade_assets.remote.protection.protection import Protection
from trade_assets.settings import Settings
from trade_assets.tt.datasets import SNAPSHOTS
from trade_assets.tt.formats.slot_times import SLOT, slot_at
from trade_assets.tt.key_tiers import api_limits
from trade_assets.tt.slots.slot_board import SlotSummary
from trade_assets.tt.slots.slot_log import SlotNote, SlotState
from trade_assets_tests.cli.helpers import (
    FRESHNESS,
    MISSED_SLOTS,
    Run,
    freshen,
    freshen_slots,
    never_stale,
)
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(local_parts: LocalParts, module_settings: Settings, tmp_path: Path) -> Settings:
    """A Redis of this test's own; tables and topic are the module's."""
    return local_parts.settings(
        tmp_path / "home",
        namespace=module_settings.namespace,
        stream_enabled=False,
        tt_breaker_open_seconds=3600,
    )


@pytest.fixture
def slots_log(stores: Stores) -> Iterator[None]:
    """The module's slot log, empty again afterwards."""
    yield
    now = datetime.now(UTC)
    for note in stores.slot_log.notes(now - timedelta(hours=3), now + SLOT):
        # Only a note of one slot can be withdrawn.
        stores.slot_log.note(replace(note, last=note.first))
        stores.slot_log.withdraw(note.first)


@pytest.fixture
def fresh_feeds(stores: Stores, local_programs: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that is healthy but for the TT part."""
    never_stale(monkeypatch)
    freshen(stores)


def stale_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the snapshots be as stale as they are: of the feeds nothing else is said."""
    monkeypatch.delenv(MISSED_SLOTS)
    monkeypatch.setenv(FRESHNESS, json.dumps(dict.fromkeys(FEEDS, 86_400)))


def tt_of(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run("status", "--json").json["tt"]
    return found


def problems(run: Run) -> list[str]:
    found: list[str] = run("status", "--json").json["problems"]
    return found


def protection_of(settings: Settings, client: Any) -> Protection:
    return Protection(api_limits(settings.tt), client, sleep=lambda _: None)


def fail_until_open(settings: Settings, client: Any) -> None:
    """Let calls fail until the breaker is open."""

    def send(_: float) -> None:
        raise RemoteUnavailableError("TT is away")

    protection = protection_of(settings, client)
    while protection.state().breaker != "open":
        with pytest.raises(RemoteUnavailableError):
            protection.call(send)


@pytest.mark.usefixtures("fresh_feeds")
def test_a_whole_slot_is_healthy_and_shows_its_figures(run: Run, stores: Stores) -> None:
    slot = freshen_slots(stores)
    outcome = run("status", "--json")
    assert outcome.code == 0, outcome.json["problems"]
    tt = outcome.json["tt"]
    assert tt["environment"] == "ext_prod_sim"
    assert (tt["enabled"], tt["closed_reason"]) == (True, None)
    assert datetime.fromisoformat(tt["last_whole"]) == slot
    assert 0 <= tt["last_whole_age_seconds"] < 3600
    assert (float(tt["newest"]["seconds"]), float(tt["newest"]["offset_seconds"])) == (0.8, 0.05)
    assert tt["newest"]["run_id"] == "run-of-slot"
    assert tt["last_hour"]["counts"] == {
        "due": 120, "missed": 0, "skipped": 0, "failed": 0, "partial": 0,
    }  # fmt: skip
    assert {kind["dataset"]: kind["freshness"] for kind in tt["kinds"]} == dict.fromkeys(
        SNAPSHOTS, "ok"
    )
    assert (tt["protection"]["breaker"], tt["protection"]["budget_limit"]) == ("closed", 15_000)
    assert tt["alarms"] == []
    text = run("status").out
    for words in (
        *SNAPSHOTS,
        "newest whole slot",
        "last snapshot took 0.80 s, asked 0.05 s late",
        "last hour: none missed or partial",
        "breaker closed, 0 of 15,000 requests of 24 hours used (0.0%), at most 5 a second",
        "today (UTC): 0 calls",
        "alarms      none",
        "healthy",
    ):
        assert words in text


@pytest.mark.usefixtures("fresh_feeds")
def test_slots_that_stopped_are_a_problem_and_so_are_their_kinds(
    run: Run, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale_as_ever(monkeypatch)
    freshen_slots(stores, slot_at(datetime.now(UTC)) - 20 * SLOT)
    found = problems(run)
    assert len(found) == 1 + len(SNAPSHOTS)
    assert "or more snapshot slots in a row were missed" in found[0]
    assert all("stale, its newest slot is" in problem for problem in found[1:])
    assert 19 <= tt_of(run)["missed_in_a_row"] < 120
    assert run("status").code == 2


@pytest.mark.usefixtures("fresh_feeds")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TT_SNAPSHOTS_ENABLED", "false", "snapshots are switched off"),
        ("TT_MAINTENANCE", json.dumps(["2020-01-01T00:00Z/2100-01-01T00:00Z"]), "no slot is due"),
    ],
)
def test_nothing_is_a_problem_while_no_slot_is_due(
    run: Run,
    stores: Stores,
    settings: Settings,
    redis_client: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: str,
    words: str,
) -> None:
    stale_as_ever(monkeypatch)
    fail_until_open(settings, redis_client)
    freshen_slots(stores, slot_at(datetime.now(UTC)) - 20 * SLOT)
    monkeypatch.setenv(f"TRADE_ASSETS_{name}", value)
    assert problems(run) == []
    assert words in run("status").out


@pytest.mark.usefixtures("fresh_feeds")
def test_an_open_breaker_is_a_problem_that_says_when_it_is_probed(
    run: Run, stores: Stores, settings: Settings, redis_client: Any
) -> None:
    freshen_slots(stores)
    fail_until_open(settings, redis_client)
    (problem,) = problems(run)
    assert "tt:ext_prod_sim: the circuit breaker is open." in problem
    protection = tt_of(run)["protection"]
    assert protection["breaker"] == "open"
    assert 0 < protection["open_seconds_left"] <= settings.tt.breaker_open_seconds
    assert protection["budget_used"] == protection["counters"]["attempts"] > 0
    text = run("status").out
    assert "breaker open after 5 failures, probed in" in text


@pytest.mark.usefixtures("fresh_feeds")
def test_a_budget_above_the_alarm_limit_is_a_problem(
    run: Run,
    stores: Stores,
    settings: Settings,
    redis_client: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    freshen_slots(stores)
    protection = protection_of(settings, redis_client)
    for _ in range(3):
        protection.call(lambda _: None)
    assert problems(run) == []
    assert str(tt_of(run)["protection"]["budget_percent"]) == "0.02"
    monkeypatch.setenv("TRADE_ASSETS_ALARM_BUDGET_PERCENT", "0.01")
    (problem,) = problems(run)
    assert "more than 0.01% of the day's requests are used. 3 of 15,000" in problem


@pytest.mark.usefixtures("fresh_feeds", "slots_log")
def test_slots_that_are_not_whole_are_listed_with_their_reasons(run: Run, stores: Stores) -> None:
    now = freshen_slots(stores)
    log = stores.slot_log
    log.note(SlotNote(now - 9 * SLOT, now - 7 * SLOT, SlotState.MISSED, "the [red] was away"))
    log.note(
        SlotNote(now - 2 * SLOT, now - 2 * SLOT, SlotState.PARTIAL, "", {"fills": "too slow"}, "r")
    )
    last_hour = tt_of(run)["last_hour"]
    assert (last_hour["counts"]["missed"], last_hour["counts"]["partial"]) == (3, 1)
    assert [note["state"] for note in last_hour["notes"]] == ["missed", "partial"]
    text = run("status").out
    assert "last hour: 3 missed, 1 partial" in text
    clock = f"{(now - 2 * SLOT).astimezone(CENTRAL):%H:%M:%S}"
    (row,) = [line for line in text.splitlines() if line.startswith(clock)]
    assert row.split() == [clock, "partial", "fills:", "too", "slow"]
    assert "the [red] was away" in text
    assert problems(run) == []


@pytest.mark.usefixtures("fresh_feeds")
def test_a_slot_that_is_not_whole_says_why(run: Run, stores: Stores) -> None:
    slot = freshen_slots(stores)
    kinds = {"orders": "taken", "fills": "failed: TT is away"}
    stores.slot_board.write_taken(SlotSummary(slot, False, 2.5, kinds=kinds))
    assert "is not whole: orders taken; fills failed: TT is away" in run("status").out
    assert tt_of(run)["newest"]["whole"] is False


@pytest.mark.usefixtures("fresh_feeds")
def test_open_alarms_are_listed(
    run: Run, stores: Stores, settings: Settings, redis_client: Any
) -> None:
    freshen_slots(stores)
    alarms = AlarmEvaluator(Notifier([]), redis_client)
    began = datetime.now(UTC) - timedelta(minutes=5)
    alarms.look([Condition("x:breaker", "Much is [red]", True, "It burns.")], began)
    (alarm,) = tt_of(run)["alarms"]
    assert (alarm["name"], alarm["title"]) == ("x:breaker", "Much is [red]")
    text = run("status").out
    assert "alarms      1 on" in text
    assert "x:breaker" in text
    assert "Much is [red]. It burns." in text


@pytest.mark.usefixtures("fresh_feeds")
def test_redis_away_leaves_the_log_and_the_rest_unknown(
    run: Run, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADE_ASSETS_REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    tt = tt_of(run)
    assert tt["last_hour"]["counts"]["due"] == 120
    for name in ("last_whole", "missed_in_a_row", "newest", "kinds", "protection", "alarms"):
        assert tt[name] is None
    text = run("status").out
    for words in (
        "TT          ext_prod_sim, unknown",
        "protection  unknown",
        "alarms      unknown",
    ):
        assert words in text


@pytest.mark.usefixtures("fresh_feeds")
def test_dynamodb_away_leaves_what_redis_knows(
    run: Run, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = freshen_slots(stores)
    monkeypatch.setenv("TRADE_ASSETS_AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    tt = tt_of(run)
    assert tt["last_hour"] is None
    assert datetime.fromisoformat(tt["last_whole"]) == slot
    assert "slots       unknown" in run("status").out


@pytest.mark.usefixtures("fresh_feeds")
def test_a_damaged_board_does_not_stop_the_look(
    run: Run, stores: Stores, redis_client: Any
) -> None:
    freshen_slots(stores)
    redis_client.hset("slots:tt:ext_prod_sim", "slot", "soon")
    redis_client.hset("status:tt:orders", "last_event_time", "soon")
    assert problems(run) == ["tt/orders: freshness unknown"]
    assert "no slot was ever taken" in run("status").out


@pytest.mark.usefixtures("fresh_feeds")
def test_a_simulator_that_is_away_is_a_problem(
    run: Run, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    freshen_slots(stores)
    monkeypatch.setenv("TRADE_ASSETS_TT_SIMULATOR_PORT", str(free_port()))
    (problem,) = problems(run)
    assert problem.startswith("TT simulator: nothing answers at")
