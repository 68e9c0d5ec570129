"""Settings: what the environment may say, and what never gets out of them."""

import logging
from io import StringIO

import pytest

from trade_assets.errors import SettingsError
from trade_assets.logs import REDACTED, configure, get_logger, redact
from trade_assets.settings import child_environment, load_settings, without_proxy

PASSWORD = "hunter2-very-secret"
REDIS_URL = "redis://desk:p%40ssw0rd-of-redis@127.0.0.1:1/0"
WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"


def test_the_local_profile_needs_nothing_and_reaches_only_this_machine() -> None:
    settings = load_settings()
    assert settings.aws_endpoint == "http://127.0.0.1:14566"
    assert settings.redis_display_url == "redis://127.0.0.1:16379/0"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AWS_ENDPOINT_URL", "http://10.1.2.3:4566"),
        ("TRADE_ASSETS_REDIS_URL", f"redis://:{PASSWORD}@cache.example.com:6379"),
    ],
)
def test_the_local_profile_refuses_other_machines_without_telling_secrets(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match="reaches only this machine") as caught:
        load_settings()
    assert PASSWORD not in str(caught.value)


def test_the_aws_profile_has_no_endpoint_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_PROFILE", "aws")
    assert load_settings().aws_endpoint is None
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:7777")
    assert load_settings().aws_endpoint == "http://127.0.0.1:7777"


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_WINDOW_SECONDS", "soon")
    with pytest.raises(SettingsError, match="window_seconds"):
        load_settings()


def test_a_child_process_sees_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        window_seconds=7, history_ttl_days={"tt/fills": 3}, aws_endpoint_url="http://localhost:1"
    )
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    again = load_settings()
    assert again.stream.window_seconds == 7
    assert again.stores.history_ttl_days == {"tt/fills": 3}
    assert again.aws_endpoint == "http://localhost:1"


def test_a_list_reaches_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(tt_market_hours=["Sun 17:00-Fri 16:00", "always"])
    for name, value in child_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings().tt.market_hours == ["Sun 17:00-Fri 16:00", "always"]


def test_a_list_that_is_none_is_told_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADE_ASSETS_TT_MARKET_HOURS", "some-words")
    with pytest.raises(SettingsError, match="tt_market_hours") as caught:
        load_settings()
    assert "some-words" not in str(caught.value)


def test_a_free_key_is_for_uat_only() -> None:
    with pytest.raises(SettingsError, match="free"):
        load_settings(tt_tier="free")
    assert load_settings(tt_tier="free", tt_environment="ext_uat_cert").tt.tier == "free"


def test_tt_is_on_this_machine_in_the_local_profile() -> None:
    assert load_settings(tt_simulator_port=1234).tt_url == "http://127.0.0.1:1234"
    with pytest.raises(SettingsError, match="TT base URL"):
        load_settings(tt_base_url="https://ttrestapi.trade.tt")
    assert load_settings(profile="aws").tt_url == "https://ttrestapi.trade.tt"


def test_no_proxy_is_asked_for_the_loopback() -> None:
    hosts = without_proxy("example.org,127.0.0.1").split(",")
    assert hosts[0] == "example.org"
    assert hosts.count("127.0.0.1") == 1
    assert "localhost" in hosts


def test_settings_do_not_show_the_password() -> None:
    settings = load_settings(redis_url=f"redis://:{PASSWORD}@127.0.0.1:6379/0")
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in settings.redis_display_url


def test_the_settings_secrets_are_known_as_they_may_turn_up() -> None:
    settings = load_settings(redis_url=REDIS_URL, slack_webhook_url=WEBHOOK)
    assert settings.secret_values == (
        "p%40ssw0rd-of-redis",
        "p@ssw0rd-of-redis",
        WEBHOOK,
        "/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
    )
    assert load_settings().secret_values == ()


def test_no_setting_that_is_secret_is_shown_by_the_settings() -> None:
    settings = load_settings(redis_url=REDIS_URL, slack_webhook_url=WEBHOOK)
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert "services/T00000000" not in text
        assert "ssw0rd" not in text


def test_a_short_path_of_a_webhook_does_not_blot_out_ordinary_text() -> None:
    settings = load_settings(slack_webhook_url="http://127.0.0.1:9/a")
    assert redact("a/b of /a", settings.secret_values) == "a/b of /a"
    assert redact("to http://127.0.0.1:9/a", settings.secret_values) == f"to {REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        f"redis://user:{PASSWORD}@host:6379/0",
        f"could not connect to rediss://:{PASSWORD}@host",
        "key AKIAABCDEFGHIJKLMNOP was used",
    ],
)
def test_secrets_are_taken_out_of_text(text: str) -> None:
    cleaned = redact(text)
    assert REDACTED in cleaned
    assert PASSWORD not in cleaned
    assert "AKIAABCDEFGHIJKLMNOP" not in cleaned


def test_no_secret_reaches_the_log() -> None:
    stream = StringIO()
    settings = load_settings(redis_url=f"redis://:{PASSWORD}@127.0.0.1:6379/0")
    configure(settings, stream)
    log = get_logger("trade_assets.test")
    log.info(
        "connecting", url=settings.stores.redis_url.get_secret_value(), api_key="k", file="a.csv"
    )
    log.warning(f"it was {PASSWORD}", nested={"password": PASSWORD, "list": [PASSWORD]})
    logging.getLogger("trade_assets.other").error("plain %s", PASSWORD)
    try:
        raise ValueError(PASSWORD)
    except ValueError:
        log.exception("failed")
    text = stream.getvalue()
    assert PASSWORD not in text
    assert text.count(REDACTED) >= 6
    assert '"file": "a.csv"' in text
    assert all(line.startswith("{") for line in text.splitlines())
