"""The local stack's disk is bounded: what has expired goes, and nothing else does."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from trade_assets.datasets.keys import QUARANTINE_PREFIX
from trade_assets.local import retention
from trade_assets.local.dynalite import start_dynalite
from trade_assets.local.retention import ExpiredItems, OldFiles, Retention
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client, s3_client
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.provision import provision
from trade_assets.stores.resource_kinds import Table, declared_resources
from trade_assets_tests.support.parts import LocalParts, dynalite_folder
from trade_assets_tests.support.waiting import eventually

pytestmark = pytest.mark.integration

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
SECOND = int(NOW.timestamp())


@pytest.fixture(scope="module")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_dynalite(dynalite_folder(), tmp_path_factory.mktemp("dynalite")) as part:
        yield f"http://{LOOPBACK}:{part.port}"


@pytest.fixture
def kept(local_parts: LocalParts, dynamodb_endpoint: str, tmp_path: Path) -> Settings:
    """Provisioned settings that keep what landed in the last two whole hours."""
    settings = local_parts.settings(
        tmp_path / "home", aws_endpoint_url_dynamodb=dynamodb_endpoint, local_history_hours=2
    )
    provision(settings)
    return settings


def _table(settings: Settings) -> Table:
    (table,) = [
        item
        for item in declared_resources(settings)
        if isinstance(item, Table) and item.name == settings.history_table
    ]
    return table


def _put(settings: Settings, name: str, count: int, expires_at: int | None) -> None:
    client = dynamodb_client(settings)
    for at in range(count):
        item = {"pk": {"S": f"{name}{at % 7}"}, "sk": {"S": f"{at:05d}"}}
        expiry = {} if expires_at is None else {"expires_at": {"N": str(expires_at)}}
        client.put_item(TableName=settings.history_table, Item=item | expiry)
    client.close()


def _left(settings: Settings) -> dict[str, int]:
    client = dynamodb_client(settings)
    left: dict[str, int] = {}
    for item in client.scan(TableName=settings.history_table)["Items"]:
        name = item["pk"]["S"].rstrip("0123456789")
        left[name] = left.get(name, 0) + 1
    client.close()
    return left


def test_expired_items_go_and_no_other(kept: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE_ITEMS", 10)
    _put(kept, "expired", 60, SECOND - 1)
    _put(kept, "this-second", 5, SECOND)
    _put(kept, "later", 5, SECOND + 1)
    _put(kept, "for-ever", 5, None)
    calls = DynamoCalls(kept)
    assert ExpiredItems(calls, _table(kept)).go(NOW, seconds=60) == 60
    calls.close()
    assert _left(kept) == {"this-second": 5, "later": 5, "for-ever": 5}


def test_a_go_ends_with_its_time_and_the_next_one_reads_on(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGE_ITEMS", 10)
    _put(kept, "expired", 45, SECOND - 1)
    calls, goes = DynamoCalls(kept), []
    items = ExpiredItems(calls, _table(kept))
    while _left(kept):
        goes.append(items.go(NOW, seconds=0))
    calls.close()
    assert goes[:4] == [10, 10, 10, 10]
    assert sum(goes) == 45


def _key(root: str, hours_ago: int, name: str = "a.csv") -> str:
    hour = NOW - timedelta(hours=hours_ago)
    return f"{root}{hour:/dt=%Y-%m-%d/hh=%H}/{name}"


def test_files_of_old_hours_go_with_their_versions_and_daily_ones_stay(kept: Settings) -> None:
    spot, sod = "feeds/actant/spot_risk", "feeds/actant/sod"
    snapshots, quarantine = "snapshots/tt/ext_prod_sim/orders", f"{QUARANTINE_PREFIX}{spot}"
    staying = [
        *(_key(root, age) for root in (spot, snapshots, quarantine) for age in (0, 1, 2)),
        *(_key(sod, age) for age in (3, 4 * 24)),
        "reference/calendar.parquet",
    ]
    going = [
        *(_key(root, age) for root in (spot, snapshots, quarantine) for age in (3, 40)),
        _key(sod, 4 * 24 + 1),
    ]
    client, files = s3_client(kept), OldFiles(kept)
    client.put_bucket_versioning(Bucket=kept.bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in (*staying, *going, going[0]):
        client.put_object(Bucket=kept.bucket, Key=key, Body=b"x")
    client.delete_object(Bucket=kept.bucket, Key=going[1])
    assert files.go(NOW) == len(going) + 2
    assert files.go(NOW) == 0
    files.close()
    answer = client.list_object_versions(Bucket=kept.bucket)
    assert sorted(item["Key"] for item in answer["Versions"]) == sorted(staying)
    assert not answer.get("DeleteMarkers")
    client.close()


def test_it_goes_on_by_itself_whatever_is_away_meanwhile(
    kept: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "GO_SECONDS", 0.01)
    with Retention(kept, tables=True):
        for _ in range(2):
            _put(kept, "expired", 3, 1)
            eventually(lambda: not _left(kept), "expired items are gone")
    nowhere = kept.changed({"aws_endpoint_url_dynamodb": f"http://{LOOPBACK}:1"})
    with Retention(nowhere, tables=True) as running:
        assert running.is_alive()


def test_nothing_is_looked_at_where_everything_is_kept(kept: Settings) -> None:
    with Retention(kept.changed({"local_history_hours": 0}), tables=True) as running:
        assert not running.is_alive()
