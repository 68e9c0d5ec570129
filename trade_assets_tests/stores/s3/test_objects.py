"""The bucket: bytes in and out, listing, quarantine, and errors that are ours."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from trade_assets.errors import ObjectMissingError, StoreRejectedError, StoreUnavailableError
from trade_assets.ports import free_port
from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets.stores.s3.objects import ObjectInfo, ObjectStore

NOW = datetime(2025, 7, 17, 19, 33, tzinfo=UTC)


@pytest.fixture
def store(provisioned: Settings) -> Iterator[ObjectStore]:
    made = ObjectStore(provisioned)
    yield made
    made.close()


def keys(store: ObjectStore, prefix: str, after: str | None = None) -> list[str]:
    return [info.key for info in store.list_after(prefix, after)]


@pytest.mark.parametrize("name", ["plain.csv", "blank and+plus.csv", "ü%20#?~.csv"])
def test_bytes_come_back_under_the_version_that_was_put(store: ObjectStore, name: str) -> None:
    key = f"feeds/x/y/{name}"
    etag = store.put(key, b"first")
    assert '"' not in etag
    loaded = store.get(key)
    assert (loaded.data, loaded.info.key, loaded.info.etag) == (b"first", key, etag)
    assert loaded.info.size == 5
    assert store.head(key) == loaded.info
    assert store.put(key, b"second") != etag
    assert store.get(key).data == b"second"
    assert keys(store, "feeds/x/y/") == [key]


def test_what_is_not_there_is_missing(store: ObjectStore) -> None:
    assert store.head("feeds/none.csv") is None
    with pytest.raises(ObjectMissingError, match=r"feeds/none\.csv"):
        store.get("feeds/none.csv")


def test_many_are_read_in_order_each_with_its_own_error(store: ObjectStore) -> None:
    store.put("feeds/a", b"1")
    store.put("feeds/c", b"3")
    first, second, third, fourth = store.get_many(["feeds/a", "feeds/b", "feeds/c", "feeds//d"])
    assert not isinstance(first, Exception)
    assert not isinstance(third, Exception)
    assert (first.data, third.data) == (b"1", b"3")
    assert isinstance(second, ObjectMissingError)
    assert isinstance(fourth, StoreRejectedError)
    heads = store.head_many(["feeds/c", "feeds/b", "feeds/a"])
    assert [head and head.etag for head in heads] == [third.info.etag, None, first.info.etag]


def test_listing_begins_behind_a_key_and_stays_below_its_prefix(store: ObjectStore) -> None:
    listed = [f"feeds/a/dt=2025-07-17/hh={hour:02}/{name}.csv" for hour in (9, 10) for name in "ab"]
    for key in [*listed, "feeds/ab/x.csv", "feeds/b/x.csv"]:
        store.put(key, b"x")
    assert keys(store, "feeds/a/") == listed
    assert keys(store, "feeds/a/", listed[1]) == listed[2:]
    assert keys(store, "feeds/a/", "feeds/a/dt=2025-07-17/hh=10/") == listed[2:]
    assert keys(store, "feeds/a/", listed[-1]) == []
    assert keys(store, "feeds/none/") == []


def test_a_key_that_obstore_refuses_hides_no_other(
    store: ObjectStore, provisioned: Settings
) -> None:
    odd = "feeds/a//odd.csv"
    for key in ("feeds/a/1.csv", odd, "feeds/a/2.csv"):
        s3_client(provisioned).put_object(Bucket=provisioned.bucket, Key=key, Body=b"x")
    assert keys(store, "feeds/a/") == [odd, "feeds/a/1.csv", "feeds/a/2.csv"]
    assert keys(store, "feeds/a/", odd) == ["feeds/a/1.csv", "feeds/a/2.csv"]
    with pytest.raises(StoreRejectedError):
        store.get(odd)
    with pytest.raises(StoreRejectedError):
        store.head(odd)


def test_quarantine_keeps_the_bytes_and_the_reason_until_release(store: ObjectStore) -> None:
    key = "feeds/actant/spot_risk/bad+name ü.csv"
    store.put(key, b"broken")
    info = store.get(key).info
    store.quarantine(info, "no header", [{"row": 3, "reason": "short", "text": "a,b"}], NOW)
    assert store.get(f"quarantine/{key}").data == b"broken"
    assert json.loads(store.get(f"quarantine/{key}.error.json").data) == {
        "file": key,
        "etag": info.etag,
        "reason": "no header",
        "row_numbers": [3],
        "rows": [{"row": 3, "reason": "short", "text": "a,b"}],
        "time": "2025-07-17T19:33:00Z",
    }
    store.put("quarantine/feeds/other.csv", b"stays")
    store.release([key, "feeds/never/quarantined.csv"])
    assert keys(store, "quarantine/") == ["quarantine/feeds/other.csv"]
    assert store.get(key).data == b"broken"


def test_release_takes_more_files_than_one_request_holds(store: ObjectStore) -> None:
    store.put("quarantine/feeds/last.csv", b"x")
    store.release([f"feeds/{number}.csv" for number in range(600)] + ["feeds/last.csv"])
    assert keys(store, "quarantine/") == []
    store.release([])


def test_a_file_that_is_gone_leaves_its_report_in_quarantine(store: ObjectStore) -> None:
    store.quarantine(ObjectInfo("feeds/gone.csv", "e", 1, NOW), "no header", [], NOW)
    assert keys(store, "quarantine/") == ["quarantine/feeds/gone.csv.error.json"]


def test_an_endpoint_that_is_away_is_a_passing_error_that_tells_no_secret(
    settings: Settings,
) -> None:
    away = ObjectStore(settings.changed({"aws_endpoint_url": f"http://127.0.0.1:{free_port()}"}))
    info = ObjectInfo("feeds/a", "e", 1, NOW)
    for call in (
        lambda: away.get("feeds/a"),
        lambda: away.put("feeds/a", b""),
        lambda: away.head("feeds/a"),
        lambda: list(away.list_after("feeds/")),
        lambda: away.quarantine(info, "r", [], NOW),
        lambda: away.release(["feeds/a"]),
    ):
        with pytest.raises(StoreUnavailableError) as caught:
            call()
        text = str(caught.value).lower()
        assert not any(word in text for word in ("signature", "authorization", "credential"))
        assert "\n" not in text
    away.close()
