"""Messages in work are kept from others in time, by a clock of the test's own."""

from collections.abc import Sequence

from trade_assets.errors import StoreUnavailableError
from trade_assets.feeds.stream.visibility import InFlight
from trade_assets.stores.sqs.notifications import Message

VISIBILITY = 60


class Postponed:
    """A queue that notes until when its messages are kept from others."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.until: dict[str, float] = {}
        self.away = False

    def monotonic(self) -> float:
        return self.now

    def postpone(self, messages: Sequence[Message], seconds: int) -> None:
        if self.away:
            raise StoreUnavailableError("away")
        self.until |= {message.message_id: self.now + seconds for message in messages}

    def receive(self, name: str) -> Message:
        """A message that was just received."""
        self.until[name] = self.now + VISIBILITY
        return Message(name, f"handle of {name}", 1, (), "")


def watched() -> tuple[Postponed, InFlight]:
    queue = Postponed()
    return queue, InFlight(queue, VISIBILITY, queue.monotonic)


def test_work_is_kept_from_others_for_as_long_as_it_takes() -> None:
    queue, in_flight = watched()
    message = queue.receive("a")
    in_flight.add(message)
    for _ in range(100):  # ten times the visibility
        queue.now += VISIBILITY / 8
        in_flight.extend()
        assert queue.until["a"] - queue.now >= VISIBILITY / 8, "it would be seen before the next"
    in_flight.remove([message])
    kept = queue.until["a"]
    queue.now += VISIBILITY
    in_flight.extend()
    assert queue.until["a"] == kept


def test_each_is_extended_at_half_of_its_own_time() -> None:
    queue, in_flight = watched()
    in_flight.add(queue.receive("a"))
    queue.now += 20
    in_flight.add(queue.receive("b"))
    queue.now += 10
    in_flight.extend()
    assert queue.until == {"a": queue.now + VISIBILITY, "b": queue.now - 10 + VISIBILITY}


def test_a_queue_that_is_away_is_asked_again_in_time() -> None:
    queue, in_flight = watched()
    in_flight.add(queue.receive("a"))
    queue.away = True
    queue.now += VISIBILITY / 2
    in_flight.extend()
    queue.away = False
    queue.now += VISIBILITY / 2
    in_flight.extend()
    assert queue.until["a"] == queue.now + VISIBILITY


def test_what_is_left_is_told_and_forgotten() -> None:
    queue, in_flight = watched()
    in_flight.start()
    message = queue.receive("a")
    in_flight.add(message)
    assert in_flight.stop() == [message]
    queue.now += VISIBILITY
    kept = dict(queue.until)
    in_flight.extend()
    assert queue.until == kept
