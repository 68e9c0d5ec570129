"""The notification queue: what S3 says, and what becomes of what nobody understands."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets.stores.aws import sqs_client
from trade_assets.stores.provision import provision
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets.stores.sqs.notifications import (
    Announcement,
    Message,
    NotificationQueue,
    announcements,
)
from trade_assets_tests.support.waiting import eventually

EVENT_TIME = "2025-07-17T19:33:31.250Z"
LANDED = datetime(2025, 7, 17, 19, 33, 31, 250_000, tzinfo=UTC)


def record(key: str, etag: str = "e", name: str = "ObjectCreated:Put") -> dict[str, object]:
    return {
        "eventName": name, "eventTime": EVENT_TIME, "s3": {"object": {"key": key, "eTag": etag}}
    }  # fmt: skip


def body(*records: object) -> str:
    return orjson.dumps({"Records": records}).decode()


def test_an_announcement_is_taken_from_the_notification() -> None:
    text = body(record("feeds/a+b%20c%2Bd/%C3%BC.csv", '"etag"'))
    assert announcements(text) == (Announcement("feeds/a b c+d/ü.csv", "etag", LANDED),)


def test_every_created_object_of_a_notification_is_announced_and_nothing_else() -> None:
    text = body(
        record("a"), record("b", name="ObjectRemoved:Delete"),
        record("c", name="ObjectCreated:CompleteMultipartUpload"),
    )  # fmt: skip
    assert [item.key for item in announcements(text) or ()] == ["a", "c"]


def test_the_test_event_announces_nothing() -> None:
    text = orjson.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}).decode()
    assert announcements(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "null", "[]", "1", '"text"', "{}", '{"Records":1}', '{"Records":[1]}',
        '{"Records":[{"eventName":"ObjectCreated:Put"}]}',
        body({**record("a"), "eventTime": "yesterday"}),
        body({**record("a"), "eventTime": None}), body({**record("a"), "s3": None}),
        body({**record("a"), "s3": {"object": {"key": 5}}}),
    ],
)  # fmt: skip
def test_anything_else_is_not_understood(text: str) -> None:
    assert announcements(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "s3", "object", "key", "x"]), inner, max_size=3
        )
    ),
)


@given(JSON)
def test_no_json_trips_the_parser(value: object) -> None:
    found = announcements(json.dumps(value))
    assert found is None or isinstance(found, tuple)


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Provisioned, with messages that are given up soon; they come back when told to, and of
    themselves only long after the test."""
    made = settings.changed({"queue_visibility_seconds": 600, "queue_max_receives": 2})
    provision(made)
    return made


@pytest.fixture
def feed_queue(quick: Settings) -> Iterator[NotificationQueue]:
    made = NotificationQueue(quick)
    yield made
    made.close()


def received(feed_queue: NotificationQueue, number: int) -> list[Message]:
    """Receive until there are so many messages, without S3's test event."""
    found: list[Message] = []

    def receive() -> bool:
        for message in feed_queue.receive(1):
            if message.announced == ():
                feed_queue.delete([message])
            else:
                found.append(message)
        return len(found) >= number

    eventually(receive, what=f"{number} messages")
    return found


def test_objects_are_announced_with_their_version_and_deleted_for_good(
    feed_queue: NotificationQueue, quick: Settings
) -> None:
    objects = ObjectStore(quick)
    names = [f"feeds/x/y/{number} ü+.csv" for number in range(12)]
    etags = [objects.put(name, name.encode()) for name in names]
    messages = received(feed_queue, 12)
    found = [item for message in messages for item in message.announced or ()]
    assert sorted((item.key, item.etag) for item in found) == sorted(zip(names, etags, strict=True))
    assert all(message.receives == 1 for message in messages)
    feed_queue.delete(messages)
    eventually(lambda: feed_queue.depth().in_flight == 0)
    assert feed_queue.depth().waiting == 0
    objects.close()


def test_what_is_postponed_comes_back_counted(
    feed_queue: NotificationQueue, quick: Settings
) -> None:
    sqs = sqs_client(quick)
    sqs.send_message(
        QueueUrl=sqs.get_queue_url(QueueName=quick.queue_name)["QueueUrl"], MessageBody=body()
    )
    (first,) = [m for m in feed_queue.receive(2) if m.body == body()] or received(feed_queue, 1)
    feed_queue.postpone([first], 0)
    again = eventually(lambda: [m for m in feed_queue.receive(1) if m.body == body()])
    assert again[0].message_id == first.message_id
    assert again[0].receives == 2


def test_garbage_ends_in_the_dead_letter_queue(
    feed_queue: NotificationQueue, quick: Settings
) -> None:
    sqs = sqs_client(quick)
    url = sqs.get_queue_url(QueueName=quick.queue_name)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="not a notification")
    seen: list[int] = []

    def receive() -> bool:
        messages = [m for m in feed_queue.receive(1) if m.announced is None]
        seen.extend(message.receives for message in messages)
        feed_queue.postpone(messages, 0)
        return feed_queue.depth().dead == 1

    eventually(receive, what="dead letter")
    assert seen == [1, 2]


def test_a_queue_that_is_not_there_or_away_says_which(settings: Settings) -> None:
    with pytest.raises(StoreRejectedError, match=settings.queue_name):
        NotificationQueue(settings)
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StoreUnavailableError, match=settings.queue_name):
        NotificationQueue(settings.changed({"aws_endpoint_url": url}))
