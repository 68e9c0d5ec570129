"""Dead letters whose files are in the stores after all: they are cleared, the others stay."""

from typing import Final

from trade_assets.feeds.feed_stores import FeedStores
from trade_assets.logs import get_logger
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.sqs.notifications import Message

log = get_logger(__name__)

LOOKS: Final = 3
"""Requests for dead letters a time: each tells some of them."""

_SETTLED: Final = frozenset({FileState.STORED, FileState.QUARANTINED, FileState.SUPERSEDED})
"""States of the ledger in which a file needs no notification any more."""


def clear_stored(stores: FeedStores) -> int:
    """Clear those dead letters all of whose files the ledger has; how many there were.

    A bounded look at some of them: the next one sees others.

    Raises:
        StoreUnavailableError, StoreRejectedError: the queue or the ledger cannot be looked at.
    """
    letters: dict[str, Message] = {}
    for _ in range(LOOKS):
        letters |= {letter.message_id: letter for letter in stores.queue.dead_letters()}
    versions = {letter.message_id: _versions(letter) for letter in letters.values()}
    known = stores.ledger.known(version for found in versions.values() for version in found or ())
    done = [
        letters[message_id]
        for message_id, found in versions.items()
        if found is not None and all(known.get(version) in _SETTLED for version in found)
    ]
    if done:
        stores.queue.clear(done)
        log.info("dead letters cleared, their files are stored", count=len(done))
    return len(done)


def _versions(letter: Message) -> list[tuple[str, str]] | None:
    """The file versions that a letter announces; None where nobody understands it."""
    if letter.announced is None:
        return None
    return [(item.key, item.etag) for item in letter.announced]
