"""Alarms over Redis are told once, whoever looks, however many, and whatever dies in between."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis
from structlog.testing import capture_logs

from trade_assets.errors import StoreUnavailableError
from trade_assets.monitor.alarms.alarm_state import AlarmState
from trade_assets.monitor.alarms.conditions import Condition
from trade_assets.monitor.alarms.evaluator import AlarmEvaluator
from trade_assets.monitor.alarms.notifier import Notifier
from trade_assets.monitor.alarms.state_store import IDLE_SECONDS, AlarmStateStore, OpenEpisode
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.monitor.alarms.doubles import NotingChannel
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.waiting import eventually

START = datetime(2025, 11, 21, 10, 0, tzinfo=UTC)
THREADS = 8
TELLING_SECONDS = 0.02
"""So long that the others look meanwhile."""


def at(slots: float) -> datetime:
    return START + slots * timedelta(seconds=30)


def seen(active: bool | None, name: str = "a", detail: str = "detail") -> list[Condition]:
    return [Condition(name, f"title of {name}", active, detail)]


class Watcher:
    """An evaluator with two channels that note what they hear."""

    def __init__(
        self,
        client: "redis.Redis",
        lease: float = 60.0,
        telling_seconds: float = 0.0,
    ) -> None:
        self.first, self.second = NotingChannel(client, "first"), NotingChannel(client, "second")
        self.first.before = lambda: time.sleep(telling_seconds)
        notifier = Notifier([self.first, self.second])
        self.evaluator = AlarmEvaluator(notifier, client, lease_seconds=lease)
        self.look = self.evaluator.look

    @property
    def noted(self) -> list[list[str]]:
        return [self.first.noted, self.second.noted]


@pytest.fixture
def watcher(client: "redis.Redis") -> Watcher:
    return Watcher(client)


def test_each_episode_is_told_once_at_its_beginning_and_once_at_its_end(watcher: Watcher) -> None:
    told = [
        watcher.look(seen(active), at(slot)).told
        for slot, active in enumerate([False, True, True, None, False, False, True])
    ]
    assert watcher.noted == [["a began", "a ended", "a began"]] * 2
    assert told[1] == ["a began first", "a began second"]
    assert told[4] == ["a ended first", "a ended second"]
    assert [told[slot] for slot in (0, 2, 3, 5)] == [[]] * 4


def test_open_episodes_are_shown_until_they_end(watcher: Watcher) -> None:
    watcher.look([*seen(True, "b", "why b"), *seen(True, "a", "why a")], at(1))
    both = watcher.evaluator.open_episodes()
    watcher.look(seen(False, "a"), at(2))
    assert both == [
        OpenEpisode("a", "title of a", "why a", at(1)),
        OpenEpisode("b", "title of b", "why b", at(1)),
    ]
    assert [item.name for item in watcher.evaluator.open_episodes()] == ["b"]


def test_another_process_carries_on_where_one_stopped(
    client: "redis.Redis", watcher: Watcher
) -> None:
    watcher.look(seen(True), at(1))
    after = Watcher(client)
    after.look(seen(True), at(2))
    after.look(seen(False), at(3))
    assert watcher.noted == [["a began", "a ended"]] * 2


def test_a_channel_that_fails_is_told_later_and_the_other_not_again(watcher: Watcher) -> None:
    watcher.second.away.set()
    looked = watcher.look(seen(True), at(1))
    assert (looked.told, looked.failed) == (["a began first"], {"second": "away"})
    watcher.look(seen(False), at(2))
    assert watcher.noted == [["a began", "a ended"], []]
    watcher.second.away.clear()
    watcher.look(seen(False), at(3))
    assert watcher.noted == [["a began", "a ended"]] * 2


def test_a_channel_that_fails_is_asked_once_a_look(watcher: Watcher) -> None:
    watcher.second.away.set()
    asked = Counter[str]()
    watcher.second.before = lambda: asked.update(["second"])
    watcher.look([*seen(True, "a"), *seen(True, "b"), *seen(True, "c")], at(1))
    assert asked["second"] == 1
    assert watcher.first.noted == ["a began", "b began", "c began"]


def test_a_look_that_finds_nothing_to_do_asks_redis_once_a_condition(
    watcher: Watcher, client: "redis.Redis"
) -> None:
    watcher.look(seen(True), at(1))
    before = client.info("commandstats")
    watcher.look(seen(True), at(2))
    after = client.info("commandstats")
    assert after["cmdstat_get"]["calls"] - before["cmdstat_get"]["calls"] == 1
    assert after["cmdstat_set"] == before["cmdstat_set"]


def test_an_alarm_that_is_on_never_expires_and_one_that_is_off_does(
    watcher: Watcher, client: "redis.Redis"
) -> None:
    watcher.look(seen(True), at(1))
    on = client.ttl("alarm:a")
    watcher.look(seen(False), at(2))
    assert on == -1
    assert 0 < int(client.ttl("alarm:a")) <= IDLE_SECONDS


@pytest.mark.parametrize("damage", ["x", "{}", "null", '{"episodes":[1],"changed_at":null}'])
def test_a_damaged_state_is_replaced(watcher: Watcher, client: "redis.Redis", damage: str) -> None:
    client.set("alarm:a", damage)
    with capture_logs() as logged:
        watcher.look(seen(True), at(1))
    assert watcher.noted == [["a began"]] * 2
    assert "cannot be read" in logged[0]["event"]


def test_without_redis_it_says_so(local_parts: LocalParts, settings: Settings) -> None:
    nowhere = local_parts.settings(
        settings.platform.home, redis_url=f"redis://{LOOPBACK}:{free_port()}/0"
    )
    client = connect(nowhere)
    with pytest.raises(StoreUnavailableError):
        AlarmEvaluator(Notifier([]), client).look(seen(True), at(1))
    disconnect(client)


def test_a_cluster_does_as_well(redis_cluster_settings: Settings) -> None:
    client = connect(redis_cluster_settings)
    name = f"alarm-{uuid4()}"
    watcher = Watcher(client)
    for slot, active in enumerate([True, True, False, False]):
        watcher.look(seen(active, name), at(slot))
    told = [item for item in watcher.first.noted if item.startswith(name)]
    disconnect(client)
    assert told == [f"{name} began", f"{name} ended"]


def all_at_once(work: Callable[[int], object]) -> None:
    """Do it in many threads that start together; raises what any of them raised."""
    barrier = threading.Barrier(THREADS)

    def start(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(start, range(THREADS)))


def all_look_at_once(watchers: list[Watcher], active: bool, slot: int) -> None:
    """Each in a thread of its own."""
    all_at_once(lambda number: watchers[number].look(seen(active), at(slot)))


def look_at_once(watchers: list[Watcher], active: bool, slot: int) -> None:
    all_at_once(lambda number: watchers[number].look(seen(active), at(slot)))


def test_many_that_look_at_once_tell_each_episode_once(client: "redis.Redis") -> None:
    watchers = [Watcher(client, telling_seconds=TELLING_SECONDS) for _ in range(THREADS)]
    phases = [True, True, False, True, False, False]
    for slot, active in enumerate(phases):
        all_look_at_once(watchers, active, slot)
    assert watchers[0].noted == [["a began", "a ended"] * 2] * 2


def test_those_that_lag_tell_nothing_twice(client: "redis.Redis") -> None:
    """Each goes through the same time on its own, so they see the condition at different times."""
    watchers = [Watcher(client, telling_seconds=TELLING_SECONDS) for _ in range(THREADS)]
    active = [second % 10 in range(3, 7) for second in range(60)]

    def walk(number: int) -> None:
        for second, now in enumerate(active):
            time.sleep(number % 4 / 200)
            watchers[number].look(seen(now), START + timedelta(seconds=second))

    all_at_once(walk)
    watchers[0].look(seen(False), START + timedelta(seconds=len(active)))
    stretches = [int((began - START).total_seconds()) // 10 for began in watchers[0].first.began]
    assert stretches == sorted(set(stretches))
    assert watchers[0].noted == [["a began", "a ended"] * len(stretches)] * 2
    assert not watchers[0].evaluator.open_episodes()


def test_with_channels_that_fail_now_and_then_none_is_told_twice(client: "redis.Redis") -> None:
    watchers = [Watcher(client, telling_seconds=TELLING_SECONDS) for _ in range(THREADS)]
    for slot, active in enumerate([True, True, False, False, True, False]):
        for number, watcher in enumerate(watchers):
            (watcher.second.away.set if (number + slot) % 3 else watcher.second.away.clear)()
        all_look_at_once(watchers, active, slot)
    watchers[0].second.away.clear()
    watchers[0].look(seen(False), at(10))
    assert watchers[0].noted == [["a began", "a ended"] * 2] * 2


def test_a_process_that_dies_while_telling_loses_nothing_and_repeats_nothing(
    settings: Settings, client: "redis.Redis"
) -> None:
    lease = 2.0
    module = "trade_assets_tests.monitor.alarms.hanging"
    url = settings.stores.redis_url.get_secret_value()
    process = subprocess.Popen(
        [sys.executable, "-m", module, url, "a", at(1).isoformat(), str(lease)]
    )
    eventually(lambda: client.get("hangs"), what="the process hangs in its second channel")
    process.kill()
    process.wait()
    watcher = Watcher(client)
    assert watcher.noted == [["a began"], []]

    def told() -> list[str]:
        watcher.look(seen(True), at(2))
        return watcher.second.noted

    eventually(told, what="the next look tells the rest")
    watcher.look(seen(False), at(3))
    assert watcher.noted == [["a began", "a ended"]] * 2


def test_who_lost_the_lease_stops_and_the_new_holders_word_counts(client: "redis.Redis") -> None:
    slow, other = Watcher(client), Watcher(client)

    def lose() -> None:
        client.delete("alarm-lease:a")  # as if it had stood still for a whole lease
        slow.first.before = lambda: None
        other.look(seen(True), at(1.5))

    slow.first.before = lose
    slow.look(seen(True), at(1))
    # The one repetition that cannot be avoided: it was already telling its first channel.
    assert slow.noted == [["a began", "a began"], ["a began"]]
    slow.look(seen(True), at(2))
    assert slow.noted == [["a began", "a began"], ["a began"]]


def test_an_alarm_is_held_by_one(client: "redis.Redis") -> None:
    states = AlarmStateStore(client, 60.0)
    with states.hold("a") as mine:
        assert mine is not None
        with states.hold("a") as second, states.hold("b") as other:
            assert second is None
            assert other is not None
    with states.hold("a") as again:
        assert again is not None


def test_a_state_written_by_another_is_not_overwritten(client: "redis.Redis") -> None:
    states = AlarmStateStore(client, 60.0)
    opened = AlarmState().observe(seen(True)[0], at(1))
    with states.hold("a") as held:
        assert held is not None
        client.set("alarm:a", "another's")
        held.write(opened)
        pytest.fail("it wrote")  # pragma: no cover
    assert client.get("alarm:a") == "another's"
