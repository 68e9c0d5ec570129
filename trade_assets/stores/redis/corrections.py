"""Corrections: taking back newest records that cannot be, in Redis. Which ones is not known here.

The guard of `latest_store` never lets a record go back; whoever found that one is wrong says which
version of it, and what is to stand there instead. A version that has meanwhile gone stays gone.
"""

from collections.abc import Mapping
from typing import cast

import redis

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY
from trade_assets.stores.redis.client import redis_errors, scope_of
from trade_assets.stores.redis.record_versions import Version, read_versions
from trade_assets.stores.redis.scripts import REPLACE_IF
from trade_assets.stores.redis.updates import announce
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried


class Corrections:
    """Looks at versions of newest records and takes them back. Thread-safe."""

    def __init__(self, redis_client: "redis.Redis", retries: Retries = NO_RETRIES) -> None:
        self._redis = redis_client
        self._retries = retries

    @property
    def retries(self) -> Retries:
        """Of every call."""
        return self._retries

    @retried
    def versions(self, dataset: Dataset) -> list[Version]:
        """The version of every newest record that has one.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        scope = scope_of(dataset)
        with redis_errors("reading versions of records"):
            keys = sorted(cast("set[str]", self._redis.smembers(f"keys:{scope}")))
        return read_versions(self._redis, scope, keys)

    @retried
    def replace(
        self, dataset: Dataset, versions: Mapping[Version, Mapping[str, str] | None]
    ) -> list[str]:
        """Put older records, as texts by column, in the place of versions; None: there is none, and
        the key goes. Returns the keys of those that were still there; live readers are told.

        Raises:
            StoreUnavailableError: Redis cannot be reached; replacing the same again is right.
        """
        scope = scope_of(dataset)
        changed = [
            version
            for version, record in versions.items()
            if self._replace(
                f"latest:{scope}:{version.record_key}",
                {EVENT_TIME: version.event_time, FILE_KEY: version.file_key},
                record or {},
            )
        ]
        gone = [version.record_key for version in changed if versions[version] is None]
        with redis_errors("taking back records"):
            if gone:
                self._redis.srem(f"keys:{scope}", *gone)
            if changed:
                newest = max(changed, key=lambda version: (version.event_time, version.file_key))
                keys = [version.record_key for version in changed]
                # Not trimmed here: the next write of the data set does that.
                announce(self._redis, dataset, newest.event_time, newest.file_key, keys)
        return [version.record_key for version in changed]

    @retried
    def replace_status(
        self, dataset: Dataset, stored: Mapping[str, str], fields: Mapping[str, str]
    ) -> bool:
        """Put other fields in the place of a status that is still of this file and event time.

        Raises:
            StoreUnavailableError: Redis cannot be reached.
        """
        names = ("last_event_time", "last_file")
        expected = {name: stored.get(name, "") for name in names}
        return self._replace(f"status:{scope_of(dataset)}", expected, fields)

    def _replace(self, key: str, expected: Mapping[str, str], fields: Mapping[str, str]) -> bool:
        (one, other), flat = expected, [part for pair in fields.items() for part in pair]
        with redis_errors("taking back records"):
            # Sent whole: it is rare, and no server can lack it.
            done = self._redis.eval(
                REPLACE_IF, 1, key, one, other, expected[one], expected[other], *flat
            )
        return bool(done)
