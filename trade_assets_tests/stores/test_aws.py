"""Clients of AWS: whose credential they use, and what their errors become."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ReadTimeoutError

from trade_assets.errors import StoreRejectedError, StoreUnavailableError
from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, secretsmanager_client, sns_client, sts_client


def refused(code: str, status: int = 400) -> ClientError:
    answer = {
        "Error": {"Code": code, "Message": "why"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "Publish")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("Throttling"), StoreUnavailableError),
        (refused("InternalFailure", 500), StoreUnavailableError),
        (refused("Anything", 503), StoreUnavailableError),
        (refused("AccessDenied", 403), StoreRejectedError),
        (refused("NotFound", 404), StoreRejectedError),
        (ReadTimeoutError(endpoint_url="http://x"), StoreUnavailableError),
        (NoCredentialsError(), StoreRejectedError),
        (OSError("gone"), StoreUnavailableError),
    ],
)
def test_errors_are_transient_where_another_try_may_help(
    error: Exception, kind: type[Exception]
) -> None:
    translated = as_store_error(error, "publishing")
    assert type(translated) is kind
    assert str(translated).startswith("publishing: ")


def test_the_local_profile_takes_nothing_of_the_users_own_set_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = AKIAOFTHEUSER\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "of-the-user-and-not-there")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEUSER")
    for client in (sns_client(settings), secretsmanager_client(settings), sts_client(settings)):
        credentials = client._get_credentials()  # type: ignore[union-attr]
        assert credentials.access_key == "local"
        assert client.meta.endpoint_url == settings.aws_endpoint


def test_no_error_of_secrets_manager_shows_a_secret(provisioned: Settings) -> None:
    client = secretsmanager_client(provisioned)
    name = provisioned.tt_secret_name
    before = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        client.create_secret(Name=name, SecretString=json.dumps(before))
    shown = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert not [value for value in before.values() if value in shown]
