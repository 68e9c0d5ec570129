"""What every `defs/<concept>/definitions.py` gives and gets: `build(platform) -> Concept`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import dagster as dg

from trade_assets.defs.shared.loaded_hours import LoadedHours
from trade_assets.ingest.hour_records import HourOpener
from trade_assets.settings import Settings
from trade_assets.stores.connections import Connections


@dataclass(frozen=True)
class Platform:
    """What concepts build their definitions over.

    Attributes:
        settings: of the whole platform.
        patient: connections of runs, which outlast that a store is away for a while.
        owing: connections of runs that keep what a store is owed, and go on without it.
        quick: connections of sensors and slots, for whose calls something waits.
        hours: the hours that are partitions, of every data set.
    """

    settings: Settings
    patient: Connections
    owing: Connections
    quick: Connections
    hours: LoadedHours


@dataclass(frozen=True)
class HourAssets:
    """Assets by hour that come of what lies in the bucket by `dt=` and `hh=`.

    Attributes:
        due: whether something must have landed in the hour that begins at a time (UTC).
    """

    keys: Sequence[dg.AssetKey]
    due: Callable[[datetime], bool]


@dataclass(frozen=True)
class Concept:
    """What a concept adds to the platform.

    Attributes:
        definitions: assets, checks, jobs, sensors and schedules, and the resources that only they
            need; the IO managers are there.
        hours: by path of its data sets, what opens their records of hour partitions.
        prefixes: of the bucket, and the assets that come of what lies below them.
    """

    definitions: dg.Definitions
    hours: Mapping[str, HourOpener] = field(default_factory=dict)
    prefixes: Mapping[str, HourAssets] = field(default_factory=dict)
