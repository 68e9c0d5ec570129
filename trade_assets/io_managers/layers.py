"""What the IO managers of both stores share: what they are handed, and whose it is."""

from collections.abc import Iterator
from typing import Any, Final, Protocol

import dagster as dg
import polars as pl

from trade_assets.datasets.dataset import Dataset, Feed
from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.derivation import DerivedHour
from trade_assets.feeds.derived.declarations import DATASETS, Derived
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.stores.connections import Stores
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.slot_hours import SnapshotHour

FILES: Final = "files"
RAW: Final = "raw"
LATEST: Final = "latest"
HISTORY: Final = "history"
STORED_LAYERS: Final = (LATEST, HISTORY)
"""The layers that are written, in the order in which they are; all that a derived data set has."""
LAYERS: Final = (FILES, *STORED_LAYERS)
"""The layers of a feed, the last part of its assets' keys, in the order in which they come."""
SNAPSHOT_LAYERS: Final = (RAW, *STORED_LAYERS)
"""The layers of a kind of snapshot."""


class HourRecords(Protocol):
    """What the assets hand to the IO managers: the records of landing hours, bit by bit."""

    @property
    def figures(self) -> Any:
        """Figures of the hours, to which the writing adds its own."""

    def frames(self) -> Iterator[pl.DataFrame]:
        """All records, some at a time, each time anew."""


def history_frames(records: HourRecords) -> Iterator[pl.DataFrame]:
    """Those of the records that the history holds: of snapshots only what changed."""
    return records.changes() if isinstance(records, SnapshotHour) else records.frames()


def dataset_of_asset(asset_key: dg.AssetKey) -> Dataset:
    """The data set of an asset `<source>/<name>/<layer>`.

    Raises:
        UnknownFeedError: the key names no data set of the registry.
    """
    dataset = DATASETS.get("/".join(asset_key.path[:2]))
    if dataset is None:
        raise UnknownFeedError(f"asset {asset_key.to_user_string()} belongs to no data set")
    return dataset


def input_records(context: dg.InputContext, stores: Stores) -> HourRecords:
    """The records behind the upstream partitions that a downstream asset asks for."""
    dataset = dataset_of_asset(context.asset_key)
    if isinstance(dataset, Derived):
        files = HourFiles(stores, dataset.origin, context.asset_partition_keys)
        return DerivedHour(stores, dataset, files)
    if isinstance(dataset, Snapshot):
        return SnapshotHour(stores, dataset, context.asset_partition_keys)
    assert isinstance(dataset, Feed)
    return HourFiles(stores, dataset, context.asset_partition_keys)
