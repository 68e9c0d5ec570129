"""Logs are JSON lines, and hold no secret, whoever writes them and wherever it hides."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
import urllib3

from trade_assets.logs import (
    MOST_HIDDEN,
    REDACTED,
    configure,
    get_logger,
    hide,
    redact,
)
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, load_settings

WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"


class Written:
    """What a process logged."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def settings() -> Settings:
    return load_settings(
        redis_url="redis://desk:p%40ssw0rd-of-redis@127.0.0.1:1/0", slack_webhook_url=WEBHOOK
    )


@pytest.fixture
def written(settings: Settings) -> Iterator[Written]:
    """Logs as configured, of our own loggers; as they were before, afterwards."""
    ours = logging.getLogger("trade_assets")
    before = (ours.handlers, ours.level, ours.propagate)
    structured = structlog.get_config()
    made = Written()
    configure(settings, made.stream)
    yield made
    ours.handlers, ours.level, ours.propagate = before
    structlog.configure(**structured)


def test_a_hidden_secret_is_in_no_log_wherever_it_is_put(written: Written) -> None:
    secret = f"key-{uuid4()}"
    hide(secret)
    log = get_logger("trade_assets.somewhere")
    log.info(f"event {secret}", text=secret, error=ValueError(secret), parts=[{secret: (secret,)}])
    try:
        raise ValueError(f"refused {secret}")
    except ValueError:
        log.exception("failed")
    logging.getLogger("trade_assets.plain").warning("plain %s", secret)
    assert len(written.lines) == 3
    assert secret not in written.text
    assert "ValueError: refused [redacted]" in written.lines[1]["exception"]


def test_fields_that_are_named_like_secrets_are_never_shown(written: Written) -> None:
    get_logger("trade_assets.somewhere").info(
        "x", token="abc", api_key="abc", app_key="abc", webhook_url="abc", headers={"x_api_key": 1}
    )
    (line,) = written.lines
    assert "abc" not in written.text
    assert line["headers"] == {"x_api_key": REDACTED}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Authorization: Bearer eyJhbGciOi.J9.s-_x", "Authorization: Bearer [redacted]"),
        ("{'x-api-key': '0123-abc'}", "{'x-api-key': '[redacted]'}"),
        ("grant_type=user_app&app_key=k:s&x=1", "grant_type=user_app&app_key=[redacted]&x=1"),
        ("the bearer was refused", "the bearer was refused"),
        ("no order of 10:30 by app 7", "no order of 10:30 by app 7"),
    ],
)  # fmt: skip
def test_credentials_are_known_by_their_form(text: str, kept: str) -> None:
    assert redact(text) == kept


def test_numbers_stay_numbers(written: Written) -> None:
    get_logger("trade_assets.somewhere").info("x", count=3, share=0.5, yes=True, none=None)
    (line,) = written.lines
    assert (line["count"], line["share"], line["yes"], line["none"]) == (3, 0.5, True, None)


def test_what_is_hidden_is_bounded_and_what_is_too_short_is_ignored() -> None:
    hide("a", "")
    assert redact("a cat") == "a cat"
    first, last = f"first-{uuid4()}", f"last-{uuid4()}"
    hide(first)
    for _ in range(MOST_HIDDEN):
        hide(str(uuid4()))
    hide(last)
    assert redact(f"{first} {last}") == f"{first} {REDACTED}"


def test_many_threads_may_hide_at_once() -> None:
    secrets = [str(uuid4()) for _ in range(32)]
    threads = [threading.Thread(target=hide, args=(secret,)) for secret in secrets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redact(" ".join(secrets)) == " ".join([REDACTED] * len(secrets))


def test_the_webhooks_path_is_hidden_where_a_library_names_it(
    settings: Settings, written: Written
) -> None:
    assert settings.alarms.slack_webhook_url
    path = "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"
    try:
        urllib3.request("GET", f"http://{LOOPBACK}:{free_port()}{path}", retries=1)
    except urllib3.exceptions.HTTPError:
        get_logger("trade_assets.somewhere").exception("failed")
    assert "Max retries exceeded" in written.text
    assert "T00000000" not in written.text
