"""Channels: where a notice goes. Each tells one notice, within a bound of time, or raises.

Which channels there are, and what becomes of a failure, is in `notifier`.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.logs import get_logger
from trade_assets.monitor.alarms.notices import Notice
from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, sns_client
from trade_assets.stores.sns.topics import topic_arn

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

log = get_logger(__name__)

SNS_BOUNDS: Final = {
    "connect_timeout": 2,
    "read_timeout": 3,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
"""At worst some 11 s, and as much for the account, which is asked for once: an alarm that is not
told is told at the next look, half a minute later."""


class Channel(Protocol):
    """Somewhere a notice can be told."""

    @property
    def name(self) -> str:
        """Short, for logs; what was told is remembered under it."""

    def tell(self, notice: Notice) -> None:
        """Tell it once more; raises a TradeAssetsError where it could not be told."""

    def close(self) -> None:
        """Give connections back."""


class LogChannel:
    """The log of this process: a warning when an alarm begins, an information when it ends."""

    name: Final = "log"

    def tell(self, notice: Notice) -> None:
        """Log it; never fails."""
        write = log.warning if notice.ended_at is None else log.info
        write(notice.headline, **notice.as_json())

    def close(self) -> None:
        """Nothing to close."""


class SnsChannel:
    """The topic `settings.alarms_topic`: text for people, JSON for queues and functions.

    Messages carry the attributes `alarm` and `state`, for the filters of subscriptions.
    """

    name: Final = "sns"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def tell(self, notice: Notice) -> None:
        """Publish it.

        Raises:
            StoreUnavailableError: SNS cannot be reached or throttles.
            StoreRejectedError: SNS refuses, for example because the topic is not there.
        """
        state = "began" if notice.ended_at is None else "ended"
        try:
            self._client.publish(
                TopicArn=self._arn,
                Subject=notice.subject,
                Message=_by_protocol(notice),
                MessageStructure="json",
                MessageAttributes={
                    "alarm": {"DataType": "String", "StringValue": notice.name},
                    "state": {"DataType": "String", "StringValue": state},
                },
            )
        except (BotoCoreError, ClientError) as error:
            what = f"publishing to {self._settings.alarms_topic}"
            raise as_store_error(error, what) from error

    def close(self) -> None:
        """Give the connections back."""
        if "_client" in self.__dict__:
            self._client.close()

    @cached_property
    def _client(self) -> "SNSClient":
        return sns_client(self._settings, **SNS_BOUNDS)

    @cached_property
    def _arn(self) -> str:
        return topic_arn(self._settings, self._settings.alarms_topic, **SNS_BOUNDS)


def _by_protocol(notice: Notice) -> str:
    """The message of `MessageStructure` json: what each kind of subscriber gets."""
    programs = orjson.dumps(notice.as_json()).decode()
    messages = {"default": notice.text, "sms": notice.headline}
    for protocol in ("sqs", "lambda", "http", "https", "firehose"):
        messages[protocol] = programs
    return orjson.dumps(messages).decode()
