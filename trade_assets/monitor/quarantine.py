"""The quarantine: files that were refused, and why. Looked at, and left where they are.

Bounded reading only, and by its folders alone, whatever data sets there are. What puts files here
is `ingest` and whoever asks an API; what takes them out is a rerun that reads them after all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

import orjson

from trade_assets.datasets.keys import ERROR_SUFFIX, QUARANTINE_PREFIX
from trade_assets.errors import TradeAssetsError
from trade_assets.stores.s3.objects import ObjectInfo, ObjectStore

LOOKED_AT_KEYS: Final = 1000
"""Keys of one listing; a file that is set aside has two."""
DEEPEST: Final = 6
"""Folders above the days, at most: `snapshots/tt/<environment>/<kind>/` are four."""
DAY: Final = "dt="
"""How the folders of days begin; below them keys sort by hour."""

_LOOK_BACKS: Final = (timedelta(days=30), timedelta(days=7), timedelta(days=1), timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class QuarantinedFile:
    """A file in quarantine under its original key. `reason` is None if no report lies beside it."""

    key: str
    quarantined_at: datetime
    reason: str | None
    row_numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The quarantine: `files` counted, at least so many if `more`, and the newest of them."""

    files: int
    more: bool
    newest: tuple[QuarantinedFile, ...]


def look_into_quarantine(objects: ObjectStore, now: datetime, limit: int = 10) -> Quarantine:
    """How much is in quarantine, and the newest `limit` files with their reasons.

    Lists at most `LOOKED_AT_KEYS` keys at a time. Where there are more, "newest" goes by the hour
    in which a file landed, and files outside of any folder of days are not looked for.
    """
    found, more = _listed(objects, QUARANTINE_PREFIX, None)
    if more:
        prefixes = _dated_folders(objects, QUARANTINE_PREFIX, DEEPEST)
        found = [info for prefix in prefixes for info in _newest_of(objects, prefix, now)]
    reports = {info.key for info in found if info.key.endswith(ERROR_SUFFIX)}
    files = [info for info in found if info.key not in reports]
    newest = sorted(files, key=lambda info: (info.landed_at, info.key), reverse=True)[:limit]
    details = _reports(objects, [f"{info.key}{ERROR_SUFFIX}" for info in newest])
    return Quarantine(
        files=len(files),
        more=more,
        newest=tuple(_described(*pair) for pair in zip(newest, details, strict=True)),
    )


def _listed(objects: ObjectStore, prefix: str, after: str | None) -> tuple[list[ObjectInfo], bool]:
    """The first keys below a prefix, and whether there are more."""
    found = list(islice(objects.list_after(prefix, after), LOOKED_AT_KEYS + 1))
    return found[:LOOKED_AT_KEYS], len(found) > LOOKED_AT_KEYS


def _dated_folders(objects: ObjectStore, prefix: str, depth: int) -> Iterator[str]:
    """The folders below a prefix that hold folders of days, one of each data set. No file is
    listed: they all lie below the days."""
    folders = objects.folders(prefix)
    if any(folder.startswith(f"{prefix}{DAY}") for folder in folders):
        yield prefix
    elif depth:
        for folder in folders:
            yield from _dated_folders(objects, folder, depth - 1)


def _newest_of(objects: ObjectStore, prefix: str, now: datetime) -> list[ObjectInfo]:
    """Quarantined files of a data set from its last hours: as far back as one listing reaches."""
    found, more = _listed(objects, prefix, None)
    for look_back in _LOOK_BACKS:
        if not more:
            break
        newer, still_more = _listed(objects, prefix, f"{prefix}{now - look_back:dt=%Y-%m-%d/hh=%H}")
        if not newer:
            break
        found, more = newer, still_more
    return found


def _reports(objects: ObjectStore, keys: Sequence[str]) -> list[dict[str, Any]]:
    """The reports beside quarantined files; empty where there is none that can be read."""
    if not keys:
        return []
    return [_report(loaded) for loaded in objects.get_many(keys)]


def _report(loaded: Any) -> dict[str, Any]:
    if isinstance(loaded, TradeAssetsError):
        return {}
    try:
        report = orjson.loads(loaded.data)
    except orjson.JSONDecodeError:
        return {}
    return report if isinstance(report, dict) else {}


def _described(info: ObjectInfo, report: dict[str, Any]) -> QuarantinedFile:
    reason = report.get("reason")
    rows = report.get("row_numbers")
    return QuarantinedFile(
        key=info.key.removeprefix(QUARANTINE_PREFIX),
        quarantined_at=info.landed_at,
        reason=None if reason is None else str(reason),
        row_numbers=tuple(row for row in rows if isinstance(row, int))
        if isinstance(rows, list)
        else (),
    )
