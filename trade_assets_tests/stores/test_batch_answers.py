"""Batches of which AWS says that it did a part: what may pass is tried again, the rest is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.retrying import NO_RETRIES, Retries
from trade_assets.stores.s3.objects import ObjectStore
from trade_assets.stores.sqs.notifications import Message, NotificationQueue
from trade_assets_tests.support.scripted_server import ScriptedServer, running_server

PATIENT = Retries(600)
URL = {"json": {"QueueUrl": "http://127.0.0.1:1/000000000000/queue"}}
OURS, THEIRS = ("ServiceUnavailable", False), ("ReceiptHandleIsInvalid", True)


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    with running_server() as running:
        yield running


@pytest.fixture
def at_server(server: ScriptedServer, tmp_path: Path) -> Settings:
    return load_settings(aws_endpoint_url=server.url, home=tmp_path)


def messages(number: int) -> list[Message]:
    return [Message(f"m{at}", f"handle-{at}", 1, (), "") for at in range(number)]


def batch_answer(failed: dict[str, tuple[str, bool]]) -> dict[str, Any]:
    entries = [
        {"Id": identity, "Code": code, "SenderFault": theirs, "Message": "as asked"}
        for identity, (code, theirs) in failed.items()
    ]
    return {"json": {"Successful": [], "Failed": entries}}


def handles_sent(server: ScriptedServer) -> list[list[str]]:
    bodies = [orjson.loads(request.body) for request in server.seen("/")]
    return [
        [entry["ReceiptHandle"] for entry in body["Entries"]]
        for body in bodies
        if "Entries" in body
    ]


@pytest.mark.parametrize("operation", ["delete", "postpone"])
@examples(max_examples=20)
@given(
    failures=st.lists(
        st.dictionaries(st.sampled_from("0123"), st.sampled_from([OURS, THEIRS])), max_size=3
    )
)
def test_only_what_the_queue_failed_with_is_sent_again(
    server: ScriptedServer, at_server: Settings, operation: str, failures: list[dict[str, Any]]
) -> None:
    server.script({"/": [URL, URL, *map(batch_answer, failures), batch_answer({})]})
    queue = NotificationQueue(at_server, PATIENT)
    try:
        if operation == "delete":
            queue.delete(messages(4))
        else:
            queue.postpone(messages(4), 3)
    finally:
        queue.close()
    pending, expected = ["0", "1", "2", "3"], []
    for failed in [*failures, {}]:
        expected.append([f"handle-{identity}" for identity in pending])
        pending = [identity for identity in pending if failed.get(identity) == OURS]
        if not pending:
            break
    assert handles_sent(server) == expected


def test_a_queue_that_goes_on_failing_is_an_error_within_the_bound(
    server: ScriptedServer, at_server: Settings
) -> None:
    server.script({"/": [URL, URL, batch_answer({"2": OURS, "3": THEIRS})]})
    queue = NotificationQueue(at_server, NO_RETRIES)
    try:
        with pytest.raises(StoreUnavailableError, match="1 of them: ServiceUnavailable"):
            queue.delete(messages(4))
    finally:
        queue.close()
    assert len(handles_sent(server)) == 1


def delete_answer(failed: dict[str, str]) -> dict[str, Any]:
    errors = "".join(
        f"<Error><Key>quarantine/{key}</Key><Code>{code}</Code><Message>as asked</Message></Error>"
        for key, code in failed.items()
    )
    xmlns = "http://s3.amazonaws.com/doc/2006-03-01/"
    return {"body": f'<DeleteResult xmlns="{xmlns}">{errors}</DeleteResult>'}


def released(server: ScriptedServer, settings: Settings, retries: Retries) -> list[int]:
    """Release two files; how many objects each request asked for."""
    store = ObjectStore(settings, retries)
    try:
        store.release(["a", "b"])
    finally:
        store.close()
    return [request.body.count("<Key>") for request in server.seen(f"/{settings.bucket}")]


def test_only_what_the_bucket_failed_with_is_deleted_again(
    server: ScriptedServer, at_server: Settings
) -> None:
    answers = [
        delete_answer({"a": "InternalError", "b": "SlowDown"}),
        delete_answer({"b": "SlowDown"}),
    ]
    server.script({f"/{at_server.bucket}": [*answers, delete_answer({})]})
    assert released(server, at_server, PATIENT) == [4, 2, 1]


@pytest.mark.parametrize(
    ("code", "kind"),
    [("AccessDenied", StoreRejectedError), ("InternalError", StoreUnavailableError)],
)
def test_what_stays_in_the_bucket_is_an_error(
    server: ScriptedServer, at_server: Settings, code: str, kind: type[Exception]
) -> None:
    server.script({f"/{at_server.bucket}": [delete_answer({"b": code})]})
    with pytest.raises(kind, match=f"quarantine/b: {code}"):
        released(server, at_server, NO_RETRIES)
