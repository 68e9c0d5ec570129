"""Versions of objects that were overwritten: which there are, and their bytes.

Only what reads an hour again looks here; whoever follows the present reads the current version
(`objects`). A bucket without versioning, as that of the local stack, has none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC

from botocore.exceptions import BotoCoreError, ClientError

from trade_assets.settings import Settings
from trade_assets.stores.aws import as_store_error, s3_client
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried
from trade_assets.stores.s3.objects import ObjectBytes, ObjectInfo


@dataclass(frozen=True, slots=True)
class FormerVersion:
    """A version of an object that is not the current one."""

    key: str
    version_id: str


class ObjectVersions:
    """The bucket's former versions. Thread-safe."""

    def __init__(self, settings: Settings, retries: Retries = NO_RETRIES) -> None:
        self._bucket = settings.bucket
        self._retries = retries
        self._s3 = s3_client(settings, retries={"total_max_attempts": 1})

    @property
    def retries(self) -> Retries:
        """Of every call."""
        return self._retries

    def former(self, prefix: str) -> Iterator[FormerVersion]:
        """The former versions of objects whose key starts with `prefix`, by key, oldest first; a
        deleted object has no current version."""
        for versions in self._by_key(prefix):
            yield from reversed(versions)

    @retried
    def get(self, version: FormerVersion) -> ObjectBytes:
        """A version with its bytes.

        Raises:
            StoreUnavailableError: S3 cannot be reached or failed.
            StoreRejectedError: there is no such version any more.
        """
        try:
            answer = self._s3.get_object(
                Bucket=self._bucket, Key=version.key, VersionId=version.version_id
            )
            data = answer["Body"].read()
        except (ClientError, BotoCoreError) as error:
            what = f"reading version {version.version_id} of s3://{self._bucket}/{version.key}"
            raise as_store_error(error, what) from error
        modified_at = answer["LastModified"].astimezone(UTC)
        info = ObjectInfo(version.key, answer["ETag"].strip('"'), len(data), modified_at)
        return ObjectBytes(info, data)

    def close(self) -> None:
        """Give the connections back."""
        self._s3.close()

    def _by_key(self, prefix: str) -> Iterator[list[FormerVersion]]:
        key, versions = None, list[FormerVersion]()
        for version in self._listed(prefix):
            if version.key != key:
                yield versions
                key, versions = version.key, []
            versions.append(version)
        yield versions

    def _listed(self, prefix: str) -> Iterator[FormerVersion]:
        marker: dict[str, str] | None = {}
        while marker is not None:
            found, marker = self._page(prefix, marker)
            yield from found

    @retried
    def _page(
        self, prefix: str, marker: dict[str, str]
    ) -> tuple[list[FormerVersion], dict[str, str] | None]:
        try:
            page = self._s3.list_object_versions(Bucket=self._bucket, Prefix=prefix, **marker)  # type: ignore[arg-type]
        except (ClientError, BotoCoreError) as error:
            raise as_store_error(
                error, f"listing versions of s3://{self._bucket}/{prefix}"
            ) from error
        found = [
            FormerVersion(item["Key"], item["VersionId"])
            for item in page.get("Versions", [])
            if not item["IsLatest"]
        ]
        if not page.get("IsTruncated"):
            return found, None
        following = {"KeyMarker": page["NextKeyMarker"]}
        if "NextVersionIdMarker" in page:
            following["VersionIdMarker"] = page["NextVersionIdMarker"]
        return found, following
