"""Neither key nor secret nor token in anything that a person or a store gets to see."""

import logging
import traceback
from collections.abc import Iterator
from io import StringIO

import pytest

from trade_assets.errors import TradeAssetsError
from trade_assets.logs import configure
from trade_assets_tests.tt.client.conftest import Api, GivenCredentials
from trade_assets_tests.tt.client.samples import (
    START_NS,
    Reply,
    credential,
    error_reply,
    fills_reply,
    order,
    orders_reply,
    token_reply,
)

PAIR = credential()
KEY, SECRET = PAIR.key.get_secret_value(), PAIR.secret.get_secret_value()
TOKEN = "bearer-1-9b1deb4d"
ALL = (KEY, SECRET, TOKEN)
ECHO = f"you sent {KEY} and {SECRET} with {TOKEN}"

BAD: list[Reply] = [
    error_reply(400, ECHO), error_reply(401, ECHO), error_reply(403, ECHO), error_reply(404, ECHO),
    error_reply(429, ECHO, Retry_After=ECHO), error_reply(500, ECHO), error_reply(503, ECHO),
    {"drop": True}, {"body": f"<html>{ECHO}"}, {"json": [ECHO]}, {"json": {"x": ECHO}},
    {"json": {"status": "Error", "status_desc": ECHO, "orders": []}},
    orders_reply(order(1), next_key=f"{SECRET}"),
    {"status": 303, "headers": {"Location": f"https://{SECRET}.example/{TOKEN}?key={KEY}"}},
    {"status": 303, "headers": {"Location": f"http://[{SECRET}"}},
    {"status": 303, "headers": {"Location": f"/there?token={TOKEN}&secret={SECRET}"}},
    {"json": {"access_token": f"{TOKEN} {SECRET}", "seconds_until_expiry": 60}},
    {"json": {"access_token": f"{TOKEN}\n", "seconds_until_expiry": SECRET}},
]  # fmt: skip


@pytest.fixture
def logged(api: Api) -> Iterator[StringIO]:
    """Everything that is logged, ours and the libraries', down to DEBUG."""
    stream = StringIO()
    configure(api.settings.changed({"log_level": "DEBUG"}), stream)
    # Not through the redactor: what a library says must be clean as it is.
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def _fail(api: Api) -> list[BaseException]:
    """Ask for everything with a fresh client; the errors that came of it."""
    client = api.client(GivenCredentials(PAIR))
    errors: list[BaseException] = []
    for call in (client.orders, client.positions, lambda: client.fills(START_NS)):
        try:
            call()
        except TradeAssetsError as error:
            errors.append(error)
    return errors


def _shown(error: BaseException) -> str:
    """All that a log, an event or a traceback could show of an error and those behind it."""
    texts = ["".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        texts += [str(seen), repr(seen), repr(vars(seen)), repr(seen.args)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(texts)


def _check_clean(text: str, where: str) -> None:
    for value in ALL:
        assert value not in text, where


def _check_redis(api: Api) -> None:
    redis = api.redis()
    for key in redis.keys("*"):
        held = bytes(redis.dump(key) or b"")
        for value in (*ALL, "9b1deb4d"):
            assert value.encode() not in held, key
            assert value not in str(key)


@pytest.mark.parametrize("at_token", [False, True])
@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_no_failure_shows_a_credential(
    api: Api, logged: StringIO, bad: Reply, at_token: bool
) -> None:
    api.settings = api.settings.changed({"tt_call_attempts": 1, "tt_breaker_failures": 9})
    token = bad if at_token else token_reply()
    api.script(token=token, ttledger_orders=[bad], ttmonitor_position=[bad], ttledger_fills=[bad])
    errors = _fail(api)
    assert errors
    for error in errors:
        _check_clean(_shown(error), "an error")
    _check_clean(logged.getvalue(), "a log")
    for asked in api.server.seen():
        _check_clean(asked.target, "a URL")
    _check_redis(api)


def test_no_success_shows_a_credential(api: Api, logged: StringIO) -> None:
    api.script(ttledger_orders=[orders_reply(order(1))], ttledger_fills=[fills_reply()])
    client = api.client(GivenCredentials(PAIR))
    answers = (*client.orders(), *client.fills(START_NS).answers)
    shown = repr(answers) + repr(client) + repr(vars(client)) + repr(client.protection.state())
    _check_clean(shown + logged.getvalue(), "a representation")
    assert "renewed" in logged.getvalue()
    _check_redis(api)
