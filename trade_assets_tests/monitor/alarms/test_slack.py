"""The Slack channel against a small server of its own; its URL is never shown."""

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3

from trade_assets.errors import (
    RemoteRejectedError,
    RemoteUnavailableError,
    ThrottledError,
    TradeAssetsError,
)
from trade_assets.monitor.alarms.notices import Notice
from trade_assets.monitor.alarms.slack import SlackChannel
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import load_settings
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

SECRET_PATH = "/services/T0SECRET/B0SECRET/SECRETSECRET"
NOTICE = Notice("tt:x:slots", "3 slots <missed>", "They & more", datetime(2025, 11, 21, tzinfo=UTC))


class Server:
    """A running server."""

    def __init__(self, folder: Path, answers: tuple[str, ...]) -> None:
        self._notes = folder / "notes.jsonl"
        port = free_port()
        self.url = f"http://{LOOPBACK}:{port}{SECRET_PATH}"
        module = "trade_assets_tests.monitor.alarms.slack_server"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(port), str(self._notes), *answers]
        )
        eventually(lambda: answers_at(port), what="the server answers")

    @property
    def heard(self) -> list[dict[str, Any]]:
        if not self._notes.exists():
            return []
        return [json.loads(line) for line in self._notes.read_text().splitlines()]


def answers_at(port: int) -> bool:
    try:
        return urllib3.request("GET", f"http://{LOOPBACK}:{port}/", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with these answers."""
    started: list[Server] = []

    def start(*answers: str) -> Server:
        started.append(Server(tmp_path, answers))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()


def channel(url: str, retry_seconds: float = PATIENCE_SECONDS) -> SlackChannel:
    return SlackChannel(load_settings(slack_webhook_url=url).alarms, retry_seconds)


def shown(error: BaseException) -> str:
    """All that anybody could print of an error, with what led to it."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None:
        chain.append(current)
        current = current.__cause__ or current.__context__
    parts = [f"{item!r} {item} {item.args} {vars(item)}" for item in chain]
    return "\n".join([*parts, *traceback.format_exception(error)])


def test_a_notice_arrives_as_slacks_json(serve: Callable[..., Server]) -> None:
    server = serve()
    channel(server.url).tell(NOTICE)
    (heard,) = server.heard
    assert heard["path"] == SECRET_PATH
    assert heard["type"] == "application/json"
    assert heard["body"] == NOTICE.as_slack()
    assert "3 slots &lt;missed&gt;" in heard["body"]["text"]


@pytest.mark.parametrize("first", ["500", "503", "429:0", "drop"])
def test_what_passes_is_tried_again(serve: Callable[..., Server], first: str) -> None:
    server = serve(first)
    channel(server.url).tell(NOTICE)
    assert [item["body"] for item in server.heard] == [NOTICE.as_slack()] * 2


@pytest.mark.parametrize("status", ["400", "403", "404", "410", "302"])
def test_what_slack_refuses_is_not_tried_again(serve: Callable[..., Server], status: str) -> None:
    server = serve(status)
    with pytest.raises(RemoteRejectedError, match=f"{status} no_service") as caught:
        channel(server.url).tell(NOTICE)
    assert caught.value.status == int(status)
    assert len(server.heard) == 1
    assert "SECRET" not in shown(caught.value)


def test_an_answer_that_repeats_the_url_does_not_show_it(serve: Callable[..., Server]) -> None:
    server = serve("echo")
    with pytest.raises(RemoteRejectedError, match="404 xxx") as caught:
        channel(server.url).tell(NOTICE)
    assert "SECRET" not in shown(caught.value)


def test_trying_ends(serve: Callable[..., Server]) -> None:
    server = serve(*["429:7"] * 1000)
    with pytest.raises(ThrottledError) as caught:
        channel(server.url).tell(NOTICE)
    assert caught.value.retry_after == 7
    assert len(server.heard) == 1
    assert "SECRET" not in shown(caught.value)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (f"http://{LOOPBACK}:1{SECRET_PATH}", RemoteUnavailableError),
        (f"http://[{SECRET_PATH}", RemoteRejectedError),
        (f"http://{LOOPBACK}:port{SECRET_PATH}", RemoteRejectedError),
        (f"nothing://{LOOPBACK}{SECRET_PATH}", RemoteRejectedError),
        (f"http://{SECRET_PATH}", RemoteRejectedError),
    ],
    ids=["nobody listens", "no host", "no port", "no scheme", "nothing"],
)
def test_no_error_shows_the_url(url: str, kind: type[TradeAssetsError]) -> None:
    with pytest.raises(kind) as caught:
        channel(url, retry_seconds=0.1).tell(NOTICE)
    assert "SECRET" not in shown(caught.value)


def test_the_channel_does_not_show_its_url() -> None:
    made = channel(f"http://{LOOPBACK}{SECRET_PATH}")
    assert "SECRET" not in f"{made!r} {vars(made)}"


def test_without_a_webhook_there_is_no_channel() -> None:
    with pytest.raises(ValueError, match="no Slack webhook"):
        SlackChannel(load_settings().alarms)
