"""Latest: the newest record of every key, in Redis. The guard that never lets it go back is here.

Keys (no command touches two slots, so it runs on a cluster):

* `latest:<source>:<feed>:<record_key>` hash of the record's fields; a null is an absent field
* `keys:<source>:<feed>` set of the record keys that exist
* `set:<source>:<feed>` of a replaced data set: all of it in one hash (`latest_set`), which is what
  its readers get, so that they never see it half replaced; the two above follow
* `statement:<source>:<feed>:<day>:<scope>` of a data set whose files are statements: which version
  holds, and what it says (`scope_records`)
* `updates:<source>:<feed>` trimmed stream, an entry a write: what changed
* `status:<source>:<feed>` hash: last file, event time, ingest time, lag

Of two versions of a record the greater (event_time, file_key) is the newer; a file key begins with
its landing hour, so for one event time the later landing wins. The same version may be written
again: that repairs what was damaged. What is dated later than anything can be now, by the tolerance
of the settings, is damaged too: a clock was wrong, and nothing would ever be newer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, cast

import polars as pl
import redis

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, ROW
from trade_assets.datasets.statements import (
    NOTHING_STATED,
    StatedAt,
    Statement,
    StatementRule,
    moment_of,
    newest_statements,
    statements_of,
)
from trade_assets.settings import Settings
from trade_assets.stores.redis import latest_set
from trade_assets.stores.redis.client import (
    redis_errors,
    scope_of,
)
from trade_assets.stores.redis.latest_reader import LatestReader, set_key
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.stores.redis.scope_records import ScopeRecords
from trade_assets.stores.redis.scripts import GUARDED_STATUS, GUARDED_WRITE, Scripts
from trade_assets.stores.redis.updates import announce
from trade_assets.stores.retrying import NO_RETRIES, Retries, retried
from trade_assets.stores.serialise import iso_text, iso_time, redis_fields, typed_frame

_FOLLOW_ROUNDS: Final = 20
"""Looks for another writer's set, which comes twice a minute, before that one is left to him."""


@dataclass(frozen=True, slots=True)
class LatestWritten:
    """What a write did: of `records` newest records, `changed` replaced what Redis had; `gone` are
    no more, since a statement does not say them any more."""

    records: int
    changed: int
    gone: int = 0


class LatestStore(LatestReader):
    """Newest records in and out of Redis. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        client: "redis.Redis | None" = None,
        retries: Retries = NO_RETRIES,
        scripts: Scripts | None = None,
    ) -> None:
        super().__init__(settings, client, retries)
        self._scripts = scripts or Scripts(self._redis)

    @retried
    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> LatestWritten:
        """Offer records (`dataset.record_schema`, of any number of files) as the newest ones.

        Of statements only the newest version of a scope is offered, and what it does not say is
        removed: files of `stated`, with all their rows in `records`.

        Raises:
            StoreUnavailableError: Redis cannot be reached; nothing or a part was written, and
                writing the same again is right.
        """
        if dataset.statement is None or not stated:
            return self._offer(dataset, records)
        total = LatestWritten(0, 0)
        for statement in newest_statements(statements_of(dataset.statement, records, stated)):
            written = self._state(dataset, dataset.statement, statement)
            total = LatestWritten(
                total.records + written.records,
                total.changed + written.changed,
                total.gone + written.gone,
            )
        return total

    def _offer(self, dataset: Dataset, records: pl.DataFrame) -> LatestWritten:
        newest = newest_records(records)
        if newest.is_empty():
            return LatestWritten(0, 0)
        keys = newest[RECORD_KEY].to_list()
        changed = self._write_guarded(dataset, keys, newest)
        if changed:
            last = newest.select(iso_time(EVENT_TIME), FILE_KEY).row(-1)
            self._announce(dataset, last, changed)
        return LatestWritten(len(keys), len(changed))

    @retried
    def replace(
        self, dataset: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime
    ) -> Replaced:
        """Put a whole set (`dataset.record_schema`, none if it is empty) in the place of the one
        that is there, unless that is of a later file.

        The set itself is swapped at once; the keys of its records follow, and what an earlier call
        left unfinished is put right too. The same file again repairs what was damaged.

        Args:
            file_key: of the file that has the set.
            event_time: when the set was so (aware).

        Raises:
            StoreUnavailableError: Redis cannot be reached; replacing by the same again is right.
        """
        newest = newest_records(records)
        texts = latest_set.record_texts(newest)
        time_text, latest_time = iso_text(event_time), self._latest_time(dataset)
        with redis_errors("replacing a set"):
            before = latest_set.swap(
                self._redis, set_key(dataset), file_key, time_text, texts, latest_time
            )
        if before is None:
            return Replaced(len(texts), is_newest=False)
        changed, gone = latest_set.differences(before, texts, time_text)
        self._follow_set(dataset, newest, file_key)
        if changed or gone:
            self._announce(dataset, (time_text, file_key), changed, gone)
        return Replaced(len(texts), tuple(changed), tuple(gone))

    @retried
    def write_status(
        self,
        dataset: Dataset,
        file_key: str,
        event_time: datetime,
        ingest_time: datetime,
        lag_seconds: float | None,
        repair: bool = False,
    ) -> None:
        """Note the newest file, and when the last one came: one that says something older than the
        newest (a feed that catches up) came too. `repair` writes only what is newer than, or not
        in, Redis: the files have come before. A lag that is None (the file was read again) is left
        out."""
        fields = {
            "last_file": file_key,
            "last_event_time": iso_text(event_time),
            "last_ingest_time": iso_text(ingest_time),
            **({} if lag_seconds is None else {"lag_seconds": f"{lag_seconds:.6f}"}),
        }
        flat = [part for pair in fields.items() for part in pair]
        key = f"status:{scope_of(dataset)}"
        again = "0" if repair else "1"
        guard = [iso_text(event_time), again, self._latest_time(dataset)]
        self._scripts.run(GUARDED_STATUS, [(key, [*guard, *flat])])

    def frame(self, dataset: Dataset, record_keys: Iterable[str]) -> pl.DataFrame:
        """The newest records of those keys that exist, typed as `dataset.record_schema`."""
        return typed_frame(dataset, self.read(dataset, record_keys))

    def whole_frame(self, dataset: Dataset) -> pl.DataFrame:
        """All newest records, typed as `dataset.record_schema`; of a replaced set, one picture."""
        if not dataset.replaced:
            return self.frame(dataset, self.record_keys(dataset))
        picture = self.read_set(dataset)
        return typed_frame(dataset, picture.records if picture else [])

    def _write_guarded(self, dataset: Dataset, keys: list[str], newest: pl.DataFrame) -> list[str]:
        prefix = f"latest:{scope_of(dataset)}:"
        versions = newest.select(iso_time(EVENT_TIME), FILE_KEY)
        latest_time = self._latest_time(dataset)
        calls = [
            (prefix + key, [event_time, file_key, fields, latest_time])
            for key, (event_time, file_key), fields in zip(
                keys, versions.iter_rows(), redis_fields(newest), strict=True
            )
        ]
        # The set first: a record that exists without its key in the set would never be found.
        with redis_errors("writing record keys"):
            self._redis.sadd(f"keys:{scope_of(dataset)}", *keys)
        results = self._scripts.run(GUARDED_WRITE, calls)
        return [key for key, result in zip(keys, results, strict=True) if result]

    def _latest_time(self, dataset: Dataset) -> str:
        """What is dated behind this cannot be, whenever its file has landed."""
        tolerance = self._settings.arrival.ahead_seconds
        return iso_text(dataset.latest_time(datetime.now(UTC), tolerance))

    def _state(self, dataset: Dataset, rule: StatementRule, statement: Statement) -> LatestWritten:
        """Let a statement hold: remove what it does not say, then offer what it says."""
        scopes = ScopeRecords(self._redis, self._scripts, dataset, rule)
        claimed = scopes.claim(statement)
        if claimed is None:
            return LatestWritten(statement.records.height, 0)
        # Before the writing: of a record whose time was corrected backwards the old one would win.
        removed = scopes.remove(statement.scope, claimed.former)
        written = self._offer(dataset, statement.records)
        removed |= scopes.settle(statement, claimed)
        gone = sorted(removed - statement.said.keys())
        if gone:
            scopes.forget(gone)
            time_text = iso_text(moment_of(statement.version.stated_at))
            self._announce(dataset, (time_text, statement.version.file_key), [], gone)
        return replace(written, gone=len(gone))

    def _follow_set(self, dataset: Dataset, newest: pl.DataFrame, file_key: str) -> None:
        """Make the keys of records those of the set. If another writer swapped it meanwhile, his
        and ours may have mixed: then they are made those of his set."""
        touched: set[str] = set()
        for _ in range(_FOLLOW_ROUNDS):
            keys = newest[RECORD_KEY].to_list()
            if keys:
                self._write_guarded(dataset, keys, newest)
            # Ours too: another writer may have taken a key off the list before we wrote its record.
            self._remove_others(dataset, keys, touched)
            touched.update(keys)
            picture = self._picture(dataset)
            if picture is None or picture.file_key == file_key:
                return
            newest, file_key = typed_frame(dataset, picture.records), picture.file_key

    def _remove_others(self, dataset: Dataset, keys: Iterable[str], touched: set[str]) -> None:
        """Remove the records that are listed or were written by us, and are none of these."""
        scope = scope_of(dataset)
        with redis_errors("removing records that are gone"):
            listed = cast("set[str]", self._redis.smembers(f"keys:{scope}"))
            others = sorted((listed | touched) - set(keys))
            if not others:
                return
            with self._redis.pipeline(transaction=False) as pipe:
                for key in others:
                    pipe.delete(f"latest:{scope}:{key}")
                pipe.execute()
            # Last: a record that exists without its key in the set would never be found.
            self._redis.srem(f"keys:{scope}", *others)

    def _announce(
        self,
        dataset: Dataset,
        newest: tuple[str, str],
        changed: list[str],
        gone: Sequence[str] = (),
    ) -> None:
        """Tell live readers; a key that is gone has changed too, and has no record any more."""
        length = self._settings.stores.updates_max_length
        announce(self._redis, dataset, *newest, [*changed, *gone], max_length=length)


def newest_records(records: pl.DataFrame) -> pl.DataFrame:
    """Of every record key the newest version: greatest (event_time, file_key, row)."""
    if records.is_empty():
        return records
    one_file = records[FILE_KEY].n_unique() == 1
    if one_file and records[RECORD_KEY].n_unique() == records.height:
        return records
    return records.sort(EVENT_TIME, FILE_KEY, ROW).unique(
        RECORD_KEY, keep="last", maintain_order=True
    )
