"""Asking any API: redirects within its origin, no credential in the clear or in a URL."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import count
from typing import Any

import pytest
from pydantic import SecretStr

from trade_assets.errors import (
    MalformedAnswerError,
    RemoteRejectedError,
    RemoteUnavailableError,
    SettingsError,
)
from trade_assets.remote.exchange import AttemptExtras, Exchange, Question
from trade_assets.remote.http import Http, Response
from trade_assets.remote.responses import ResponseJudge
from trade_assets.settings import Settings
from trade_assets_tests.remote.protection.helpers import FakeTime, limits, protection
from trade_assets_tests.support.scripted_server import ScriptedServer, running_server

pytestmark = pytest.mark.integration
SECRET = "s3cr3t-k3y/of=us"
AWAY = "http://rates.example"
Make = Callable[..., Exchange]


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """Answers as a test has written down."""
    with running_server() as running:
        yield running


@pytest.fixture
def make(settings: Settings, server: ScriptedServer) -> Iterator[Make]:
    """Exchanges with the server, or with another base URL; waits of retries take no time."""
    with ExitStack() as stack:

        def make_one(base_url: str | None = None, **options: Any) -> Exchange:
            guard = stack.enter_context(protection(settings, limits(attempts=2), FakeTime()))
            http = stack.enter_context(closing(Http()))
            url = base_url or server.url
            return Exchange(url, guard, http, setting="rates_base_url", **options)

        yield make_one


def question(exchange: Exchange, path: str = "yields", **fields: Any) -> Question:
    judge = ResponseJudge(f"rates {path}", (SecretStr(SECRET),))
    headers = {"Authorization": f"Key {SECRET}"}
    return Question(judge, exchange.url(path), **{"headers": headers, **fields})


def anonymous(exchange: Exchange, path: str = "yields") -> Question:
    return Question(ResponseJudge(f"rates {path}"), exchange.url(path))


def ask(exchange: Exchange, asked: Question | None = None) -> bytes:
    """Ask until the end of the limits, without a deadline that a fake clock would not know."""
    asked = asked or question(exchange)
    return exchange.ask(asked, asked.judge.body, deadline=float("inf"))


def test_an_answer_is_read_as_the_caller_wants(make: Make, server: ScriptedServer) -> None:
    server.script({"/yields": [{"body": "4.25"}]})
    exchange = make()
    asked = question(exchange, query={"date": "2025-11-21"})

    def read(response: Response) -> float:
        return float(response.data)

    assert exchange.ask(asked, read) == 4.25
    (seen,) = server.seen()
    assert (seen.method, seen.query) == ("GET", {"date": "2025-11-21"})
    assert seen.headers["authorization"] == f"Key {SECRET}"


def test_a_slash_at_the_end_of_the_base_url_does_not_matter(
    make: Make, server: ScriptedServer
) -> None:
    assert make(f"{server.url}/v3/").url("yields") == f"{server.url}/v3/yields"


def test_a_credential_does_not_travel_in_the_clear(make: Make) -> None:
    with pytest.raises(SettingsError, match=r"rates_base_url: rates\.example .* https"):
        make(AWAY)
    make(AWAY.replace("http", "https"))


def test_without_a_credential_plain_http_will_do(make: Make) -> None:
    assert make(AWAY, anonymous=True).url("yields") == f"{AWAY}/yields"


def test_an_exchange_for_no_credential_sends_none_in_the_clear(make: Make) -> None:
    exchange = make(AWAY, anonymous=True)
    with pytest.raises(RemoteRejectedError, match="in the clear") as caught:
        ask(exchange)
    assert SECRET not in str(caught.value)


def test_a_question_without_a_credential_is_asked(make: Make, server: ScriptedServer) -> None:
    server.script({"/yields": [{"body": "4.25"}]})
    exchange = make(anonymous=True)
    assert ask(exchange, anonymous(exchange)) == b"4.25"


def test_a_redirect_is_followed_within_the_origin_with_the_credential(
    make: Make, server: ScriptedServer
) -> None:
    moved = {"status": 307, "headers": {"Location": "/v4/yields?page=1"}}
    server.script({"/yields": [moved], "/v4/yields": [{"body": "4.25"}]})
    assert ask(make()) == b"4.25"
    (hop,) = server.seen("/v4/yields")
    assert hop.query == {"page": "1"}
    assert hop.headers["authorization"] == f"Key {SECRET}"


@pytest.mark.parametrize("is_anonymous", [False, True])
def test_a_redirect_to_another_origin_is_refused(
    make: Make, server: ScriptedServer, is_anonymous: bool
) -> None:
    with running_server() as other:
        moved = {"status": 302, "headers": {"Location": f"{other.url}/yields"}}
        server.script({"/yields": [moved]})
        exchange = make(anonymous=is_anonymous)
        asked = anonymous(exchange) if is_anonymous else question(exchange)
        with pytest.raises(RemoteRejectedError, match="another origin"):
            ask(exchange, asked)
        assert other.seen() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/yields", "https://127.0.0.1", "http://["])
def test_a_question_of_another_origin_is_not_asked(make: Make, url: str) -> None:
    """As where an API gives the next page as a link."""
    exchange = make()
    asked = question(exchange)
    with pytest.raises(RemoteRejectedError, match="not of the API's origin"):
        ask(exchange, Question(asked.judge, url, headers=asked.headers))


def test_redirects_without_end_are_malformed(make: Make, server: ScriptedServer) -> None:
    server.script({"/yields": [{"status": 301, "headers": {"Location": "/yields"}}]})
    with pytest.raises(MalformedAnswerError, match="redirects"):
        ask(make())
    assert len(server.seen()) == 4


@pytest.mark.parametrize("query", [{"key": SECRET}, {"next": f"x{SECRET}"}])
def test_a_credential_does_not_get_into_a_url(
    make: Make, server: ScriptedServer, query: dict[str, str]
) -> None:
    server.script({"/yields": [{}]})
    exchange = make()
    with pytest.raises(RemoteRejectedError, match="in the URL") as caught:
        ask(exchange, question(exchange, query=query))
    assert server.seen() == []
    assert SECRET not in str(caught.value)


def test_nor_does_one_that_an_attempt_adds(make: Make, server: ScriptedServer) -> None:
    server.script({"/yields": [{}]})
    with pytest.raises(RemoteRejectedError, match="in the URL"):
        ask(make(each_attempt=lambda _: AttemptExtras(query={"key": SECRET})))
    assert server.seen() == []


def test_every_attempt_and_hop_has_extras_of_its_own(make: Make, server: ScriptedServer) -> None:
    moved = {"status": 303, "headers": {"Location": "/there?id=1&page=2"}}
    server.script({"/yields": [{"status": 500}, moved], "/there": [{"body": "4.25"}]})
    numbers = count(1)

    def extras(asked: Question) -> AttemptExtras:
        number = str(next(numbers))
        return AttemptExtras({"id": number}, {"X-Signed": f"{asked.method} {number}"})

    assert ask(make(each_attempt=extras)) == b"4.25"
    first, second, hop = server.seen()
    assert [seen.query["id"] for seen in (first, second, hop)] == ["1", "2", "3"]
    assert hop.target == "/there?page=2&id=3", "the id that the redirect repeats is not sent"
    assert hop.headers["x-signed"] == "GET 3"
    assert hop.headers["authorization"] == f"Key {SECRET}"


def test_a_body_is_posted_and_not_to_where_a_redirect_points(
    make: Make, server: ScriptedServer
) -> None:
    server.script(
        {"/session": [{"status": 303, "headers": {"Location": "/there"}}], "/there": [{}]}
    )
    exchange = make()
    headers = {"Content-Type": "text/plain"}
    ask(exchange, question(exchange, "session", body=b"hello", headers=headers))
    posted, followed = server.seen()
    assert (posted.method, posted.body) == ("POST", "hello")
    assert (followed.method, followed.body) == ("GET", "")
    assert "content-type" not in followed.headers


def test_what_fails_is_asked_again_within_the_limits(make: Make, server: ScriptedServer) -> None:
    server.script({"/yields": [{"status": 503}]})
    with pytest.raises(RemoteUnavailableError, match=r"rates yields: 503 \(after 2 attempts\)"):
        ask(make())
    assert len(server.seen()) == 2


def test_nothing_secret_is_in_representations(make: Make) -> None:
    exchange = make()
    shown = f"{question(exchange)!r} {AttemptExtras({}, {'X-Signed': SECRET})!r} {vars(exchange)}"
    assert SECRET not in shown
