"""Former versions: those that were overwritten, oldest first, with their bytes."""

from collections.abc import Iterator

import pytest

from trade_assets.errors import StoreRejectedError
from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets.stores.s3.object_versions import FormerVersion, ObjectVersions
from trade_assets.stores.s3.objects import ObjectStore


@pytest.fixture
def objects(provisioned: Settings) -> Iterator[ObjectStore]:
    made = ObjectStore(provisioned)
    yield made
    made.close()


@pytest.fixture
def versions(provisioned: Settings) -> Iterator[ObjectVersions]:
    made = ObjectVersions(provisioned)
    yield made
    made.close()


def test_what_was_overwritten_comes_oldest_first_key_by_key(
    provisioned: Settings, objects: ObjectStore, versions: ObjectVersions
) -> None:
    s3_client(provisioned).put_bucket_versioning(
        Bucket=provisioned.bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    etags = {objects.put("feeds/a/b/two", data): data for data in (b"1", b"2", b"3")}
    objects.put("feeds/a/b/one", b"1")
    objects.put("feeds/a/b/one", b"2")
    objects.put("feeds/a/c/other", b"1")
    objects.put("feeds/a/c/other", b"2")
    found = list(versions.former("feeds/a/b/"))
    assert [version.key[-3:] for version in found] == ["one", "two", "two"]
    loaded = [versions.get(version) for version in found]
    assert [item.data for item in loaded] == [b"1", b"1", b"2"]
    assert [etags[item.info.etag] for item in loaded[1:]] == [b"1", b"2"]
    assert objects.get("feeds/a/b/two").data == b"3"


def test_a_bucket_without_versions_has_none(objects: ObjectStore, versions: ObjectVersions) -> None:
    objects.put("feeds/a/b/one", b"1")
    objects.put("feeds/a/b/one", b"2")
    assert list(versions.former("feeds/a/b/")) == []
    with pytest.raises(StoreRejectedError, match="one"):
        versions.get(FormerVersion("feeds/a/b/one", "no-such-version"))
