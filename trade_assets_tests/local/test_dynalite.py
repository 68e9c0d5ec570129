"""The local DynamoDB: what it keeps over a kill, and of which versions it is installed."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from trade_assets.errors import LocalStackError
from trade_assets.local import dynalite
from trade_assets.local.dynalite import ensure_installed, is_built, start_dynalite
from trade_assets.local.installing import COMPLETE
from trade_assets.local.ministack import forget_tables
from trade_assets.local.stack_status import folder_bytes
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import load_settings
from trade_assets.stores.aws import dynamodb_client
from trade_assets_tests.support.parts import dynalite_folder
from trade_assets_tests.support.waiting import eventually

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEYS = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]
ITEMS = 500


def _create(client: "DynamoDBClient") -> None:
    client.create_table(
        TableName="kept",
        KeySchema=KEYS,  # type: ignore[arg-type]
        AttributeDefinitions=[
            {"AttributeName": item["AttributeName"], "AttributeType": "S"} for item in KEYS
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName="kept")


@pytest.fixture
def table(tmp_path: Path) -> Iterator["DynamoDBClient"]:
    """A client of a server of its own, with the table `kept`."""
    with start_dynalite(dynalite_folder(), tmp_path) as part:
        url = f"http://{LOOPBACK}:{part.port}"
        client = dynamodb_client(load_settings(aws_endpoint_url_dynamodb=url))
        _create(client)
        yield client
        client.close()


@pytest.mark.integration
def test_what_is_overwritten_leaves_the_disk_however_much_is_read(
    table: "DynamoDBClient", tmp_path: Path
) -> None:
    written, keys = 0, 200
    # So many that what LevelDB leaves to be tidied up later, some 20 MB, is little beside them.
    for at in range(0, 10_000, 25):
        # Random, or it would be compressed.
        item = {"pk": {"S": "one"}, "text": {"S": os.urandom(4_000).hex()}}
        requests = [
            {"PutRequest": {"Item": item | {"sk": {"S": f"{number % keys:06d}"}}}}
            for number in range(at, at + 25)
        ]
        table.batch_write_item(RequestItems={"kept": requests})  # type: ignore[dict-item]
        written += 25 * 8_000
        for limit in (1, keys):
            table.query(
                TableName="kept",
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": "one"}},
                Limit=limit,
            )
    # LevelDB tidies up behind the writes.
    eventually(lambda: folder_bytes(tmp_path / "tables") < written / 2, "the disk is tidy")


@pytest.mark.integration
def test_however_large_the_tables_are_few_of_their_files_are_in_memory(tmp_path: Path) -> None:
    folder, port = dynalite_folder(), free_port()
    client = dynamodb_client(load_settings(aws_endpoint_url_dynamodb=f"http://{LOOPBACK}:{port}"))
    with start_dynalite(folder, tmp_path, port) as part:
        _create(client)
        for number in range(950):
            # Random, or it would be compressed.
            text = {"S": os.urandom(190_000).hex()}
            client.put_item(
                TableName="kept",
                Item={"pk": {"S": "one"}, "sk": {"S": f"{number:06d}"}, "text": text},
            )
        pages = client.get_paginator("scan").paginate(TableName="kept", Select="COUNT")
        assert sum(page["Count"] for page in pages) == 950
        mapped = [
            mapping.path
            for mapping in psutil.Process(part.process.pid).memory_maps()
            if mapping.path.endswith(".ldb")
        ]
    client.close()
    there = list((tmp_path / "tables").glob("*.ldb"))
    assert len(mapped) <= 74 < len(there)


@pytest.mark.integration
def test_a_kill_loses_no_acknowledged_item(tmp_path: Path) -> None:
    folder, port = dynalite_folder(), free_port()
    settings = load_settings(aws_endpoint_url_dynamodb=f"http://{LOOPBACK}:{port}")
    client = dynamodb_client(settings)
    with start_dynalite(folder, tmp_path, port) as part:
        _create(client)
        for number in range(ITEMS):
            item = {"pk": {"S": "one"}, "sk": {"S": f"{number:06d}"}}
            client.put_item(TableName="kept", Item=item)
        part.process.kill()
        part.process.wait()
    with start_dynalite(folder, tmp_path, port):
        found = client.query(
            TableName="kept",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": "one"}},
        )
    assert [item["sk"]["S"] for item in found["Items"]] == [f"{at:06d}" for at in range(ITEMS)]
    client.close()


def test_every_package_has_one_exact_version_and_its_digest_and_no_address() -> None:
    text = (dynalite.PACKAGE / "package-lock.json").read_text()
    packages = {name: item for name, item in json.loads(text)["packages"].items() if name}
    wanted = json.loads((dynalite.PACKAGE / "package.json").read_text())["dependencies"]
    assert packages["node_modules/dynalite"]["version"] == wanted["dynalite"]
    assert f"dynalite-{wanted['dynalite']}" == dynalite.FOLDER_NAME
    assert all(item["integrity"].startswith("sha512-") for item in packages.values())
    assert not any("resolved" in item for item in packages.values())


def test_other_versions_and_a_broken_off_build_are_not_it(tmp_path: Path) -> None:
    folder = tmp_path / "dynalite"
    assert not is_built(folder)
    script = dynalite.program(folder)
    script.parent.mkdir(parents=True)
    script.touch()
    for path in dynalite.PACKAGE.iterdir():
        shutil.copyfile(path, folder / path.name)
    assert not is_built(folder)
    (folder / COMPLETE).touch()
    assert is_built(folder)
    (folder / "package-lock.json").write_text("{}")
    assert not is_built(folder)


def test_without_network_the_message_says_so_and_nothing_half_built_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower().startswith("npm_config_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", os.devnull)
    monkeypatch.setenv("NPM_CONFIG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NPM_CONFIG_FETCH_RETRIES", "0")
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://{LOOPBACK}:{free_port()}/")
    folder = tmp_path / "dynalite"
    with pytest.raises(LocalStackError, match=r"registry cannot be reached.*check the network"):
        ensure_installed(folder)
    assert not is_built(folder)


def test_tables_of_the_stand_in_are_forgotten_once_another_server_has_them(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    for name in ("dynamodb.json", "s3.json"):
        (state / name).touch()
    for _ in range(2):
        forget_tables(tmp_path)
    assert [path.name for path in state.iterdir()] == ["s3.json"]
