"""The notifier: every channel that is configured, behind one call that never raises."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from trade_assets.errors import TradeAssetsError
from trade_assets.logs import get_logger
from trade_assets.monitor.alarms.channels import Channel, LogChannel, SnsChannel
from trade_assets.monitor.alarms.notices import Notice
from trade_assets.monitor.alarms.slack import SlackChannel
from trade_assets.settings import Settings

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """Names of the channels that took a notice, and of those that did not, with the reason."""

    delivered: tuple[str, ...]
    failed: Mapping[str, str]


class Notifier:
    """Tells notices to channels of different names."""

    def __init__(self, channels: Sequence[Channel]) -> None:
        self._channels = {channel.name: channel for channel in channels}
        if len(self._channels) != len(channels):
            raise ValueError("two channels of one name")

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels, in the order in which they are told."""
        return tuple(self._channels)

    def tell(self, notice: Notice, only: Collection[str] | None = None) -> Told:
        """Tell every channel, or `only` those named. One that fails keeps no other from it."""
        delivered, failed = [], {}
        for name, channel in self._channels.items():
            if only is not None and name not in only:
                continue
            problem = _problem(channel, notice)
            if problem is None:
                delivered.append(name)
                continue
            failed[name] = problem
            log.error("a notice was not told", channel=name, episode=notice.episode, error=problem)
        return Told(tuple(delivered), failed)

    def close(self) -> None:
        """Give the channels' connections back."""
        for channel in self._channels.values():
            channel.close()


def build_notifier(settings: Settings) -> Notifier:
    """The notifier of these settings: log and SNS, and Slack if it has a webhook."""
    channels: list[Channel] = [LogChannel(), SnsChannel(settings)]
    if settings.alarms.slack_webhook_url is not None:
        channels.append(SlackChannel(settings.alarms))
    return Notifier(channels)


def _problem(channel: Channel, notice: Notice) -> str | None:
    """Why the channel did not take the notice; None if it did."""
    try:
        channel.tell(notice)
    except TradeAssetsError as error:
        return str(error)
    except Exception as error:
        # A defect in one channel must not silence the others. Its text is not ours: not shown.
        return type(error).__name__
    return None
