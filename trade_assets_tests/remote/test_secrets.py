"""Credentials out of the real stand-in's Secrets Manager."""

import json
import traceback
from io import StringIO

import pytest

from trade_assets.errors import CredentialsError, NotAskedError
from trade_assets.logs import configure
from trade_assets.remote.secrets import (
    KEPT_SECONDS,
    POSTPONED_SECONDS,
    SecretsManagerCredentials,
)
from trade_assets.settings import Settings
from trade_assets.stores.aws import secretsmanager_client

KEY, SECRET = "a-key-5f2c9a7e", "a-secret-c0ffee77"
NOWHERE = "http://127.0.0.1:1"


class Clock:
    """Seconds that pass when a test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def _name(settings: Settings) -> str:
    """Of a secret that no other test has."""
    return f"{settings.namespace}/some-api"


def _put(settings: Settings, text: str) -> None:
    client = secretsmanager_client(settings)
    try:
        client.create_secret(Name=_name(settings), SecretString=text)
    except client.exceptions.ResourceExistsException:
        client.put_secret_value(SecretId=_name(settings), SecretString=text)


def _secret(number: int) -> str:
    return json.dumps({"key": f"{KEY}-{number}", "secret": f"{SECRET}-{number}"})


def _key(source: SecretsManagerCredentials) -> str:
    return source.get().key.get_secret_value()


def test_a_secret_is_read_and_kept_for_a_while(settings: Settings) -> None:
    clock = Clock()
    source = SecretsManagerCredentials(settings, _name(settings), monotonic=clock)
    _put(settings, _secret(1))
    assert source.get().secret.get_secret_value() == f"{SECRET}-1"
    _put(settings, _secret(2))
    clock.now += KEPT_SECONDS - 1
    assert _key(source) == f"{KEY}-1"
    clock.now += 1
    assert _key(source) == f"{KEY}-2"


def test_refresh_sees_a_rotated_secret_at_once(settings: Settings) -> None:
    _put(settings, _secret(1))
    source = SecretsManagerCredentials(settings, _name(settings))
    source.get()
    _put(settings, _secret(2))
    assert source.refresh() == source.get()
    assert _key(source) == f"{KEY}-2"


def test_a_secret_that_is_not_there_is_named(settings: Settings) -> None:
    with pytest.raises(CredentialsError, match=_name(settings)):
        SecretsManagerCredentials(settings, _name(settings)).get()


@pytest.mark.parametrize(
    "text",
    [SECRET, "{", f'["{SECRET}"]', f'{{"key": "{KEY}"}}', f'{{"key": "", "secret": "{SECRET}"}}',
     f'{{"key": 5, "secret": "{SECRET}"}}', f'{{"key": "a:b", "secret": "{SECRET}"}}',
     f'{{"key": "{KEY}", "secret": "{SECRET}\\n"}}', f'{{"key": "{KEY}", "secret": "{SECRET} é"}}'],
)  # fmt: skip
def test_a_secret_of_another_form_is_named_and_not_shown(settings: Settings, text: str) -> None:
    _put(settings, text)
    with pytest.raises(CredentialsError, match=_name(settings)) as caught:
        SecretsManagerCredentials(settings, _name(settings)).get()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert SECRET not in shown
    assert KEY not in shown
    assert caught.value.__context__ is None, "a parser's error holds what it parsed"


def test_without_secrets_manager_nothing_can_be_asked(settings: Settings) -> None:
    away = settings.changed({"aws_endpoint_url": NOWHERE})
    with pytest.raises(NotAskedError, match=_name(settings)):
        SecretsManagerCredentials(away, _name(away)).get()


class Flaky(SecretsManagerCredentials):
    """Whose Secrets Manager can go away."""

    is_away = False
    asked = 0

    def _ask(self) -> str:
        self.asked += 1
        if self.is_away:
            raise NotAskedError("away")
        return super()._ask()


def test_while_secrets_manager_is_away_the_last_credential_serves(settings: Settings) -> None:
    clock = Clock()
    _put(settings, _secret(1))
    source = Flaky(settings, _name(settings), monotonic=clock)
    source.get()
    source.is_away = True
    clock.now += 10 * KEPT_SECONDS
    assert _key(source) == f"{KEY}-1"
    assert source.refresh() == source.get()


def test_secrets_manager_that_is_away_is_not_waited_for_by_every_call(settings: Settings) -> None:
    clock = Clock()
    _put(settings, _secret(1))
    source = Flaky(settings, _name(settings), monotonic=clock)
    source.get()
    source.is_away = True
    clock.now += KEPT_SECONDS
    for _ in range(3):
        source.get()
    assert source.asked == 2
    _put(settings, _secret(2))
    source.is_away = False
    clock.now += POSTPONED_SECONDS
    assert _key(source) == f"{KEY}-2"


def test_nothing_is_shown_in_representations_and_logs(settings: Settings) -> None:
    stream = StringIO()
    configure(settings, stream)
    _put(settings, _secret(1))
    source = Flaky(settings, _name(settings))
    shown = repr(source.get()) + str(source.get()) + repr(source) + repr(vars(source))
    source.is_away = True
    source.refresh()
    shown += stream.getvalue()
    assert "goes on being used" in shown
    assert KEY not in shown
    assert SECRET not in shown


def test_every_api_has_the_secret_that_it_names(settings: Settings) -> None:
    _put(settings, _secret(1))
    other = f"{_name(settings)}-2"
    secretsmanager_client(settings).create_secret(Name=other, SecretString=_secret(2))
    assert _key(SecretsManagerCredentials(settings, _name(settings))) == f"{KEY}-1"
    assert _key(SecretsManagerCredentials(settings, other)) == f"{KEY}-2"
