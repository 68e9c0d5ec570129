"""What was given up on the way, of whatever concept: dead letters, and files in quarantine."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trade_assets.monitor.dead_letters import DeadLetter, peek_dead_letters
from trade_assets.monitor.part_status import IMPATIENT
from trade_assets.monitor.quarantine import Quarantine, look_into_quarantine
from trade_assets.monitor.sections import HealthSection, Look, StorePart
from trade_assets.settings import Settings
from trade_assets.stores.aws import sqs_client
from trade_assets.stores.connections import Connections
from trade_assets.stores.sqs.notifications import NotificationQueue, QueueDepth

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """Notifications waiting and on the way, and up to ten of those that were given up."""

    depth: QueueDepth
    dead_letters: tuple[DeadLetter, ...]


@dataclass(frozen=True, slots=True)
class GivenUpStatus:
    """One look. What is None could not be looked at."""

    queue: QueueStatus | None
    quarantine: Quarantine | None

    @property
    def problems(self) -> tuple[str, ...]:
        """Dead letters. Quarantined files are none: they are broken where they come from."""
        if self.queue is None or not self.queue.depth.dead:
            return ()
        return (f"queue: dead letters: {self.queue.depth.dead}",)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return asdict(self)


class GivenUpSection:
    """Looks into the queues and the quarantine; keeps its connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connections = Connections(settings, patient=False)
        self.looks: Mapping[StorePart, Look] = {
            StorePart.S3: lambda now: look_into_quarantine(self._connections.objects, now),
            StorePart.SQS: lambda _: self._queue_status(),
        }
        self.local_parts: Mapping[str, str] = {}

    def status(self, now: datetime, found: Mapping[StorePart, Any]) -> GivenUpStatus:
        """What was found."""
        return GivenUpStatus(found.get(StorePart.SQS), found.get(StorePart.S3))

    def close(self) -> None:
        """Give connections back."""
        self._connections.close()
        for name in ("_queue", "_sqs"):
            if name in self.__dict__:
                self.__dict__[name].close()

    def _queue_status(self) -> QueueStatus:
        depth = self._queue.depth()
        name = self._settings.dead_letter_queue_name
        letters = peek_dead_letters(self._sqs, name) if depth.dead else []
        return QueueStatus(depth, tuple(letters))

    @cached_property
    def _queue(self) -> NotificationQueue:
        return NotificationQueue(self._settings, self._connections.file_retries)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return sqs_client(self._settings, **IMPATIENT)


def health_section(settings: Settings) -> HealthSection:
    """The section, as `sections` finds it."""
    return GivenUpSection(settings)
