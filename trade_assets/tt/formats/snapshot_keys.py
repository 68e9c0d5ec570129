"""Keys of raw snapshots: built and taken apart. Pure text; the grammar is the contract.

``snapshots/tt/<environment>/<kind>/dt=YYYY-MM-DD/hh=HH/<YYYYMMDDTHHMMSSZ>.json``: day, hour and
name are the slot, UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from trade_assets.datasets.keys import PARTITION_FORMAT, day_and_hour
from trade_assets.errors import UnknownFeedError
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.slot_times import SLOT_FORMAT, slot_at, slot_text
from trade_assets.tt.formats.snapshot import TT_SOURCE, Snapshot

SNAPSHOTS_PREFIX: Final = f"snapshots/{TT_SOURCE}/"

_KEY: Final = re.compile(
    rf"{SNAPSHOTS_PREFIX}(?P<environment>[^/]+)/(?P<kind>[^/]+)"
    r"/dt=[^/]+/hh=[^/]+/(?P<slot>[0-9]{8}T[0-9]{6}Z)\.json"
)


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """A raw snapshot's key, taken apart."""

    key: str
    snapshot: Snapshot
    environment: str
    slot: datetime

    @property
    def partition(self) -> str:
        """Dagster's partition key of the hour."""
        return self.slot.replace(minute=0, second=0).strftime(PARTITION_FORMAT)


def snapshot_prefix(environment: str, kind: str) -> str:
    """Prefix of all raw snapshots of a kind; below it keys sort by slot."""
    return f"{SNAPSHOTS_PREFIX}{environment}/{kind}/"


def snapshot_hour_prefix(environment: str, kind: str, hour: datetime) -> str:
    """Prefix of the raw snapshots of the UTC hour in which `hour` (aware) lies."""
    return f"{snapshot_prefix(environment, kind)}{day_and_hour(hour)}"


def snapshot_key(environment: str, kind: str, slot: datetime) -> str:
    """Key of the raw snapshot of a slot (aware)."""
    return f"{snapshot_hour_prefix(environment, kind, slot)}{slot_text(slot)}.json"


def parse_snapshot_key(key: str) -> SnapshotKey:
    """Take a raw snapshot's key apart.

    Raises:
        UnknownFeedError: the key does not follow the grammar, names a kind that is not there, or
            its parts are not of one slot.
    """
    match = _KEY.fullmatch(key)
    if match is None:
        raise UnknownFeedError(
            f"{key}: not a snapshot's key (snapshots/tt/<environment>/<kind>/dt=/hh=/<slot>.json)"
        )
    environment, kind = match["environment"], match["kind"]
    snapshot = SNAPSHOTS_BY_KIND.get(kind)
    if snapshot is None:
        raise UnknownFeedError(f"{key}: no snapshot kind {kind} in the registry")
    try:
        slot = datetime.strptime(match["slot"], SLOT_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise UnknownFeedError(f"{key}: its name is not a time") from None
    if slot_at(slot) != slot or snapshot_key(environment, kind, slot) != key:
        raise UnknownFeedError(f"{key}: its day, hour and name are not of one slot")
    return SnapshotKey(key, snapshot, environment, slot)
