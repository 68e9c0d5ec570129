"""One notifier: every configured channel, each independent of the others."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from trade_assets.errors import StoreUnavailableError
from trade_assets.monitor.alarms.notices import Notice
from trade_assets.monitor.alarms.notifier import Notifier, Told, build_notifier
from trade_assets.settings import load_settings

NOTICE = Notice("n", "title", "detail", datetime(2025, 11, 21, tzinfo=UTC))


class Noting:
    """Keeps what it is told, or fails with `error`."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name = name
        self.told: list[Notice] = []
        self.closed = False
        self._error = error

    def tell(self, notice: Notice) -> None:
        if self._error:
            raise self._error
        self.told.append(notice)

    def close(self) -> None:
        self.closed = True


def test_a_channel_that_fails_keeps_no_other_from_it() -> None:
    away = Noting("away", StoreUnavailableError("it is away"))
    broken = Noting("broken", KeyError("something secret"))
    last = Noting("last")
    told = Notifier([away, broken, last]).tell(NOTICE)
    assert told == Told(("last",), {"away": "it is away", "broken": "KeyError"})
    assert last.told == [NOTICE]


def test_a_failure_is_logged_with_its_channel_and_episode() -> None:
    with capture_logs() as logged:
        Notifier([Noting("away", StoreUnavailableError("it is away"))]).tell(NOTICE)
    (line,) = logged
    assert (line["channel"], line["error"]) == ("away", "it is away")
    assert line["episode"] == NOTICE.episode


def test_only_named_channels_are_told() -> None:
    first, second = Noting("first"), Noting("second")
    assert Notifier([first, second]).tell(NOTICE, only=["second"]) == Told(("second",), {})
    assert not first.told


def test_two_channels_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        Notifier([Noting("a"), Noting("a")])


def test_every_channel_is_closed() -> None:
    channels = [Noting("a"), Noting("b")]
    Notifier(channels).close()
    assert all(item.closed for item in channels)


def test_a_channel_that_is_not_configured_is_not_there() -> None:
    hooked = load_settings(slack_webhook_url="http://127.0.0.1:9/hook")
    assert build_notifier(load_settings()).channels == ("log", "sns")
    assert build_notifier(hooked).channels == ("log", "sns", "slack")
