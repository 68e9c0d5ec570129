"""Fixtures of the stream's tests: a queue with short times, and its stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trade_assets.feeds.stream import consumer, payments
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets.stores.sqs.notifications import NotificationQueue
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def _short_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop waits for the long poll under way, and a test for what is owed."""
    monkeypatch.setattr(consumer, "POLL_SECONDS", 1)
    monkeypatch.setattr(payments, "LOOK_SECONDS", 0.2)


@pytest.fixture
def quick(local_parts: LocalParts, tmp_path: Path) -> Settings:
    """Provisioned settings under which messages that cannot be worked are soon given up.

    They come back where a consumer says so: of themselves only long after the test, or a machine
    that is busy would work some of them twice.
    """
    made = local_parts.settings(
        tmp_path / "home",
        queue_visibility_seconds=600,
        queue_max_receives=2,
        receivers=1,
        heartbeat_seconds=0.1,
        heartbeat_stale_seconds=600,
        report_interval_seconds=0.2,
    )
    provision(made)
    _take_test_event(made)
    return made


def _take_test_event(settings: Settings) -> None:
    """Take the message with which S3 tries a new notification, so that tests can count theirs."""
    feed_queue = NotificationQueue(settings)
    messages = eventually(lambda: feed_queue.receive(1), what="S3's test event")
    assert [message.announced for message in messages] == [()]
    feed_queue.delete(messages)
    feed_queue.close()


@pytest.fixture
def reference(local_parts: LocalParts, tmp_path: Path) -> Settings:
    """Provisioned settings of stores that only the test writes, to compare with."""
    made = local_parts.settings(tmp_path / "reference")
    provision(made)
    return made


@pytest.fixture
def stores(quick: Settings) -> Iterator[Stores]:
    """Stores of `quick`."""
    with Stores(quick) as made:
        yield made
