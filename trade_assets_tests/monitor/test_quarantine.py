"""What is found in a quarantine that is too full for one listing: by its folders alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from trade_assets.monitor import quarantine as quarantine_reading
from trade_assets.monitor.quarantine import look_into_quarantine
from trade_assets.settings import Settings
from trade_assets.stores.s3.objects import ObjectStore

pytestmark = pytest.mark.integration

NOW = datetime(2025, 7, 17, 15, 30, tzinfo=UTC)
DATASETS = (
    "feeds/actant/spot_risk",
    "feeds/tt/fills",
    "feeds/somebody/else",
    "snapshots/tt/ext_prod_live/orders",
    "snapshots/tt/ext_prod_sim/orders",
)


@pytest.fixture
def objects(provisioned: Settings) -> Iterator[ObjectStore]:
    opened = ObjectStore(provisioned)
    yield opened
    opened.close()


def put(objects: ObjectStore, dataset: str, landed: datetime, name: str = "a") -> str:
    """Quarantine a file of a data set that landed at some time; returns its key."""
    key = f"{dataset}/{landed:dt=%Y-%m-%d/hh=%H}/{name}"
    objects.quarantine_bytes(key, b"broken", f"why {name}", NOW)
    return key


def test_an_empty_quarantine_is_empty(objects: ObjectStore) -> None:
    found = look_into_quarantine(objects, NOW)
    assert (found.files, found.more, found.newest) == (0, False, ())


def test_every_folder_of_days_is_found_whatever_data_set_it_is_of(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {put(objects, dataset, NOW) for dataset in DATASETS}
    monkeypatch.setattr(quarantine_reading, "LOOKED_AT_KEYS", 4)
    found = look_into_quarantine(objects, NOW)
    assert found.more
    assert {file.key for file in found.newest} == keys
    assert {file.reason for file in found.newest} == {"why a"}


def test_of_each_data_set_the_last_hours_are_listed_and_no_more(
    objects: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for dataset in DATASETS[:2]:
        for days in range(400, 0, -100):
            put(objects, dataset, NOW - timedelta(days=days), f"{days} days ago")
    newest = {put(objects, dataset, NOW, "now") for dataset in DATASETS[:2]}
    monkeypatch.setattr(quarantine_reading, "LOOKED_AT_KEYS", 4)
    listings: list[str] = []
    list_after = objects.list_after

    def counted(prefix: str, after: str | None = None) -> Iterator[object]:
        listings.append(prefix)
        return list_after(prefix, after)

    monkeypatch.setattr(objects, "list_after", counted)
    found = look_into_quarantine(objects, NOW)
    assert {file.key for file in found.newest} == newest
    # Of the whole, then of each data set: its beginning and one step back, which is not full.
    assert len(listings) == 1 + 2 * 2
