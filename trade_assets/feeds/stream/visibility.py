"""Messages in work: keeps them invisible to other consumers for as long as the work takes."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from trade_assets.errors import TradeAssetsError
from trade_assets.logs import get_logger
from trade_assets.stores.sqs.notifications import Message

log = get_logger(__name__)


class Postpones(Protocol):
    """A queue whose messages can be kept from others for so many seconds more."""

    def postpone(self, messages: Sequence[Message], seconds: int) -> None: ...


class InFlight:
    """Extends the visibility of messages in work, at half of its length. Thread-safe."""

    def __init__(
        self,
        feed_queue: Postpones,
        visibility_seconds: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = feed_queue
        self._visibility = visibility_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._due: dict[str, tuple[Message, float]] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="visibility", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def add(self, message: Message) -> None:
        """A message was received."""
        with self._lock:
            self._due[message.message_id] = (message, self._monotonic() + self._visibility / 2)

    def remove(self, messages: Iterable[Message]) -> None:
        """Messages are done with."""
        with self._lock:
            for message in messages:
                self._due.pop(message.message_id, None)

    def stop(self) -> list[Message]:
        """Stop watching; returns the messages that are not done with."""
        self._stopped.set()
        self._thread.join()
        with self._lock:
            left = [message for message, _ in self._due.values()]
            self._due.clear()
        return left

    def _loop(self) -> None:
        while not self._stopped.wait(self._visibility / 8):
            self.extend()

    def extend(self) -> None:
        """Extend the visibility of those whose time has come; `start` sees to it that this is done
        often enough."""
        now = self._monotonic()
        with self._lock:
            due = [message for message, at in self._due.values() if at <= now]
            for message in due:
                self._due[message.message_id] = (message, now + self._visibility / 2)
        if not due:
            return
        try:
            self._queue.postpone(due, self._visibility)
        except TradeAssetsError as error:
            # They come back early and are done twice, which does no harm.
            log.warning("cannot keep messages in work", count=len(due), error=str(error))
