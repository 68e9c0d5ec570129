"""What passes through the consumer: a micro-batch on its way."""

from collections import Counter
from dataclasses import dataclass, field

from trade_assets.ingest.reading import FileResult, FileVersion
from trade_assets.stores.dynamodb.ledger import FileState
from trade_assets.stores.sqs.notifications import Message


@dataclass
class MicroBatch:
    """A micro-batch on its way: its messages, and its files by key.

    `extra` are versions that were superseded; `lags` are seconds by file key, `changed` and `puts`
    counts by feed path.
    """

    messages: list[Message]
    results: dict[str, FileResult] = field(default_factory=dict)
    extra: list[FileResult] = field(default_factory=list)
    lags: dict[str, float] = field(default_factory=dict)
    changed: Counter[str] = field(default_factory=Counter)
    puts: Counter[str] = field(default_factory=Counter)

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
