"""Secrets and parameters of the local stack outlive a stand-in that is killed."""

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from trade_assets.errors import LocalStackError, StoreUnavailableError
from trade_assets.local.masters import Masters
from trade_assets.local.ministack import start_ministack
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.aws import secretsmanager_client, ssm_client
from trade_assets_tests.support.parts import LocalParts, ministack_python

pytestmark = pytest.mark.integration

VALUE = "not-for-anybodys-eyes"


@pytest.fixture
def apart(local_parts: LocalParts, tmp_path: Path) -> Settings:
    """A stand-in shared with other tests, whose secrets this one does not look at."""
    return local_parts.settings(tmp_path / "home")


def _name(settings: Settings, name: str) -> str:
    return f"{settings.namespace}/{name}"


def _secret(settings: Settings, name: str) -> str:
    return secretsmanager_client(settings).get_secret_value(SecretId=name)["SecretString"]


def test_a_killed_stand_in_comes_back_with_its_secrets_and_parameters(tmp_path: Path) -> None:
    port = free_port()
    settings = load_settings(aws_endpoint_url=f"http://{LOOPBACK}:{port}", home=tmp_path)
    masters = Masters(settings, tmp_path / "secrets.json")
    with start_ministack(ministack_python(), tmp_path / "ministack", port) as part:
        masters.seed()
        secrets, parameters = secretsmanager_client(settings), ssm_client(settings)
        secrets.create_secret(Name="desk/tt", SecretString=json.dumps({"key": VALUE}))
        secrets.create_secret(Name="gone", SecretString="x")
        parameters.put_parameter(Name="/desk/limit", Value="7", Type="String")
        parameters.put_parameter(Name="/desk/hidden", Value=VALUE, Type="SecureString")
        assert masters.capture()
        assert not masters.capture()
        secrets.delete_secret(SecretId="gone", ForceDeleteWithoutRecovery=True)
        secrets.put_secret_value(SecretId="desk/tt", SecretString="rotated")
        assert masters.capture()
        part.process.kill()
        part.process.wait()
    with start_ministack(ministack_python(), tmp_path / "ministack", port):
        assert secrets.list_secrets()["SecretList"] == []
        Masters(settings, tmp_path / "secrets.json").seed()
        assert _secret(settings, "desk/tt") == "rotated"
        assert [item["Name"] for item in secrets.list_secrets()["SecretList"]] == ["desk/tt"]
        found = parameters.get_parameters(
            Names=["/desk/limit", "/desk/hidden"], WithDecryption=True
        )["Parameters"]
        kept = {item["Name"]: (item["Value"], item["Type"]) for item in found}
    assert kept == {"/desk/limit": ("7", "String"), "/desk/hidden": (VALUE, "SecureString")}


def test_the_file_is_for_its_owner_alone_also_where_one_was_open(
    apart: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{}")
    path.chmod(0o644)
    secretsmanager_client(apart).create_secret(Name=_name(apart, "a"), SecretString=VALUE)
    assert Masters(apart, path).capture()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir() if item.is_file()] == ["secrets.json"]


def test_what_a_person_changes_in_the_file_is_seeded_by_the_next_start(
    apart: Settings, tmp_path: Path
) -> None:
    path, name, other = tmp_path / "secrets.json", _name(apart, "a"), _name(apart, "b")
    client = secretsmanager_client(apart)
    client.create_secret(Name=name, SecretString="first")
    running = Masters(apart, path)
    running.capture()
    edited = json.loads(path.read_text())
    edited["secrets"][name] = "by hand"
    path.write_text(json.dumps(edited))
    client.create_secret(Name=other, SecretString="meanwhile")
    running.capture()
    kept = json.loads(path.read_text())["secrets"]
    assert (kept[name], kept[other]) == ("by hand", "meanwhile")
    Masters(apart, path).seed()
    assert _secret(apart, name) == "by hand"


def _fails(call: Callable[[], object], kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        call()
    return str(raised.value)


def test_no_error_and_no_repr_shows_a_value(apart: Settings, tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps({"secrets": {_name(apart, "a"): VALUE}}))
    away = apart.changed({"aws_endpoint_url": f"http://{LOOPBACK}:{free_port()}"})
    masters = Masters(apart, path)
    masters.seed()
    said = [repr(masters), _fails(Masters(away, path).seed, StoreUnavailableError)]
    path.write_text(f'{{"secrets": "{VALUE}')
    said.append(_fails(Masters(apart, path).seed, LocalStackError))
    assert str(path) in said[-1]
    assert not [text for text in said if VALUE in text]
