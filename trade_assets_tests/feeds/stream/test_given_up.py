"""Dead letters: those whose files are stored after all are cleared, and only those."""

from datetime import UTC, datetime

import pytest

from trade_assets.feeds.stream.given_up import clear_stored
from trade_assets.settings import Settings
from trade_assets.stores.aws import sqs_client
from trade_assets.stores.dynamodb.ledger import FileState, LedgerEntry
from trade_assets_tests.feeds.stream.harness import announcement_of
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import eventually

pytestmark = pytest.mark.integration

NOW = datetime(2025, 7, 17, 19, 40, tzinfo=UTC)


def line(key: str, etag: str, state: FileState) -> LedgerEntry:
    return LedgerEntry(key, etag, state, 0, 0, 0, NOW, NOW)


def bury(settings: Settings, *bodies: str) -> None:
    """Send messages to the dead letters, at once."""
    sqs = sqs_client(settings)
    url = sqs.get_queue_url(QueueName=settings.dead_letter_queue_name)["QueueUrl"]
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body)
    sqs.close()


def test_a_dead_letter_whose_file_is_stored_is_cleared_and_the_others_stay(
    stores: Stores, quick: Settings
) -> None:
    names = ("stored", "quarantined", "failed", "unknown")
    bury(
        quick,
        *(announcement_of(f"feeds/actant/{name}.csv", name, NOW) for name in names),
        announcement_of("feeds/actant/stored.csv", "another version", NOW),
        "no notification",
    )
    stores.ledger.record(
        [
            line(f"feeds/actant/{state.value}.csv", state.value, state)
            for state in (FileState.STORED, FileState.QUARANTINED, FileState.FAILED)
        ]
    )
    cleared = 0

    def look() -> bool:
        nonlocal cleared
        cleared += clear_stored(stores)
        return stores.queue.depth().dead == 4

    eventually(look, what="two letters cleared")
    assert cleared == 2
    assert clear_stored(stores) == 0
    stores.ledger.record([line("feeds/actant/failed.csv", "failed", FileState.STORED)])
    eventually(lambda: clear_stored(stores) == 1)
    assert stores.queue.depth().dead == 3


def test_without_dead_letters_nothing_happens(stores: Stores) -> None:
    assert clear_stored(stores) == 0
