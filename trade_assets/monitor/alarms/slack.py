"""The Slack channel: an incoming webhook. Its URL is a secret: whoever has it can write there."""

from typing import Final

import orjson
import urllib3

from trade_assets.errors import (
    RemoteRejectedError,
    RemoteUnavailableError,
    ThrottledError,
    TradeAssetsError,
)
from trade_assets.logs import redact
from trade_assets.monitor.alarms.notices import Notice
from trade_assets.settings import AlarmSettings
from trade_assets.stores.retrying import retrying

RETRY_SECONDS: Final = 4.0
TRY_SECONDS: Final = 3.0
"""Of one try, so that telling takes at most some 10 s."""

_ANSWER_LENGTH: Final = 200


class SlackChannel:
    """Posts to `slack_webhook_url`, which must be set."""

    name: Final = "slack"

    def __init__(self, alarms: AlarmSettings, retry_seconds: float = RETRY_SECONDS) -> None:
        if alarms.slack_webhook_url is None:
            raise ValueError("no Slack webhook is configured")
        self._alarms = alarms
        self._url = alarms.slack_webhook_url
        self._retry_seconds = retry_seconds
        self._pool = urllib3.PoolManager(num_pools=1, timeout=TRY_SECONDS, retries=False)

    def tell(self, notice: Notice) -> None:
        """Post it; tries again while Slack is away, unless it asks to wait: the next look does.

        A try that timed out may have been heard, so a message can come twice; never none.

        Raises:
            RemoteUnavailableError: Slack cannot be reached, throttles, or failed on its side.
            RemoteRejectedError: Slack refuses the message or does not know the webhook.
        """
        body = orjson.dumps(notice.as_slack())
        asked_to_wait: ThrottledError | None = None
        for attempt in retrying(self._retry_seconds):
            with attempt:
                try:
                    self._post(body)
                except ThrottledError as error:
                    if not error.retry_after:
                        raise
                    asked_to_wait = error
        if asked_to_wait is not None:
            raise asked_to_wait

    def close(self) -> None:
        """Give the connections back."""
        self._pool.clear()

    def _post(self, body: bytes) -> None:
        problem: TradeAssetsError | None = None
        try:
            answer = self._pool.request(
                "POST",
                self._url.get_secret_value(),
                body=body,
                headers={"Content-Type": "application/json"},
            )
        except urllib3.exceptions.LocationValueError as error:
            problem = RemoteRejectedError(f"posting to Slack: {type(error).__name__}: not a URL")
        except urllib3.exceptions.HTTPError as error:
            problem = RemoteUnavailableError(f"posting to Slack: {type(error).__name__}")
        if problem is not None:
            # Out here, so that it has no context: urllib3's errors can name the URL.
            raise problem
        if answer.status != 200:
            raise _error(answer, f"posting to Slack: {answer.status} {self._said(answer.data)}")

    def _said(self, data: bytes) -> str:
        """Slack explains itself in a word, such as `no_service`; a proxy may repeat the URL."""
        text = redact(data.decode("utf-8", "replace"), self._alarms.webhook_texts)
        return text[:_ANSWER_LENGTH].strip()


def _error(answer: urllib3.BaseHTTPResponse, message: str) -> TradeAssetsError:
    if answer.status == 429:
        after = answer.headers.get("Retry-After", "")
        return ThrottledError(message, float(after) if after.isdigit() else None)
    if answer.status >= 500:
        return RemoteUnavailableError(message)
    return RemoteRejectedError(message, answer.status)
