"""What passes through the consumer: a micro-batch on its way."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from trade_assets.feeds.stream.owed import RecordStore
from trade_assets.ingest.reading import FileResult, FileVersion
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.s3.object_versions import FormerVersion
from trade_assets.stores.sqs.notifications import Message


@dataclass
class MicroBatch:
    """A micro-batch on its way: its messages, and its files by key.

    `extra` are versions that were superseded; `lags` are seconds by file key, `changed` and `puts`
    counts by feed path; `owes` the keys of files by the store that did not get them.
    """

    messages: list[Message]
    results: dict[str, FileResult] = field(default_factory=dict)
    extra: list[FileResult] = field(default_factory=list)
    lags: dict[str, float] = field(default_factory=dict)
    changed: Counter[str] = field(default_factory=Counter)
    puts: Counter[str] = field(default_factory=Counter)
    owes: dict[RecordStore, set[str]] = field(default_factory=dict)

    def former(self) -> list[FormerVersion]:
        """The versions that were announced and rewritten before they were read, oldest first."""
        announced = {
            (item.key, item.etag): item
            for message in self.messages
            for item in message.announced or ()
            if item.version_id
        }
        unread = {(item.version.key, item.version.etag) for item in self.extra}
        unread |= {
            (key, result.superseded)
            for key, result in self.results.items()
            if result.superseded is not None
        }
        found = [announced[identity] for identity in unread & announced.keys()]
        found.sort(key=lambda item: (item.landed_at, item.key))
        return [FormerVersion(item.key, item.version_id) for item in found]

    def owe(self, store: RecordStore, keys: Iterable[str]) -> None:
        """Note that a store did not get files, by their keys."""
        self.owes.setdefault(store, set()).update(keys)

    def is_owed(self, key: str) -> bool:
        """Whether a store did not get a file."""
        return any(key in keys for keys in self.owes.values())

    def owed_versions(self) -> dict[RecordStore, list[FileVersion]]:
        """The files that each store did not get, in key order."""
        return {
            store: [self.results[key].version for key in sorted(keys) if key in self.results]
            for store, keys in self.owes.items()
        }

    def supersede(self, version: FileVersion) -> None:
        """Note that a version was rewritten before its rows were final."""
        self.extra.append(
            FileResult(version, state=FileState.SUPERSEDED, error="rewritten before it was read")
        )

    def is_done(self, message: Message) -> bool:
        """Whether everything that a message announces is through, well or in quarantine."""
        if message.announced is None:
            return False
        results = (self.results.get(item.key) for item in message.announced)
        return all(result is None or result.state is not FileState.FAILED for result in results)
