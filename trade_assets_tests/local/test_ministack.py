"""The AWS stand-in: its environment, and what it keeps over a clean and an unclean stop."""

import os
import shutil
from pathlib import Path

import pytest

from trade_assets.errors import LocalStackError
from trade_assets.local import ministack
from trade_assets.local.ministack import (
    drop_unsaved_state,
    ensure_environment,
    is_built,
    start_ministack,
)
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.aws import dynamodb_client, s3_client
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import ministack_python


def _settings(port: int) -> Settings:
    return load_settings(aws_endpoint_url=f"http://{LOOPBACK}:{port}")


def test_a_clean_stop_keeps_everything_and_a_hard_kill_keeps_the_files(tmp_path: Path) -> None:
    python, port = ministack_python(), free_port()
    settings = _settings(port)
    key = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    with start_ministack(python, tmp_path, port):
        first = provision(settings)
        dynamodb_client(settings).put_item(TableName=settings.history_table, Item=key)
        s3_client(settings).put_object(Bucket=settings.bucket, Key="feeds/kept", Body=b"1")
    with start_ministack(python, tmp_path, port) as part:
        kept = provision(settings)
        found = dynamodb_client(settings).get_item(TableName=settings.history_table, Key=key)
        part.process.kill()
    with start_ministack(python, tmp_path, port):
        rebuilt = provision(settings)
        body = s3_client(settings).get_object(Bucket=settings.bucket, Key="feeds/kept")["Body"]
        assert body.read() == b"1"
    assert kept.created == ()
    assert kept.generation == first.generation
    assert found["Item"] == key
    assert set(rebuilt.created) >= {settings.history_table, settings.ledger_table}
    assert rebuilt.generation != first.generation


def test_state_that_the_last_stop_did_not_write_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "sqs.json").touch()
    assert drop_unsaved_state(tmp_path) == []  # nothing is known about earlier starts
    (tmp_path / "dynamodb.json").touch()
    started = (tmp_path / "running-since").stat().st_mtime_ns
    os.utime(tmp_path / "sqs.json", ns=(started, started - 1))
    os.utime(tmp_path / "dynamodb.json", ns=(started, started + 1))
    assert drop_unsaved_state(tmp_path) == ["sqs.json"]
    assert (tmp_path / "dynamodb.json").exists()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index that nobody serves, and no other place to look."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://{LOOPBACK}:{free_port()}/simple")


@pytest.mark.usefixtures("no_network")
def test_without_network_the_message_says_so_and_nothing_half_built_counts(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    steps: list[str] = []
    with pytest.raises(LocalStackError, match=r"index cannot be reached.*check the network"):
        ensure_environment(folder, steps.append)
    assert len(steps) == 2
    assert not is_built(folder)


def test_without_room_on_the_disk_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ministack, "NEEDED_BYTES", shutil.disk_usage(tmp_path).total + 1)
    with pytest.raises(LocalStackError, match="make room"):
        ensure_environment(tmp_path / "environment")
    assert not (tmp_path / "environment").exists()
