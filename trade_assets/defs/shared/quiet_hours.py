"""The sensor that tells hours in which nothing had to land from hours that are missing: what comes
once a day would else look ill for the other 23.

When an hour is over, and nothing was due in it, and the bucket has nothing of it, then the assets
that come of what would lie there are reported for it, without a row. Where something was due, the
hour stays missing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg

from trade_assets.datasets.keys import PARTITION_FORMAT, day_and_hour, partition_hour
from trade_assets.defs.shared.concept import HourAssets
from trade_assets.defs.shared.loaded_hours import LoadedHours
from trade_assets.defs.shared.names import QUIET_HOURS_SENSOR
from trade_assets.errors import TradeAssetsError
from trade_assets.ingest.json_cursor import JsonCursor
from trade_assets.io_managers.metadata import ROW_COUNT
from trade_assets.stores.connections import Connections
from trade_assets.stores.s3.objects import ObjectStore

OVER_AFTER: Final = timedelta(minutes=5)
"""After an hour's end, until what landed in it can be found: an upload names the hour before it
begins."""

LOOKED_BACK: Final = timedelta(hours=48)
"""Hours further back than this are not reported any more."""

_HOUR: Final = timedelta(hours=1)


@dataclass
class QuietHoursCursor(JsonCursor):
    """What the sensor remembers: the partition of the last hour that it has looked at."""

    looked_at: str = ""


def quiet_hours_sensor(
    connections: Connections,
    loaded: LoadedHours,
    prefixes: Mapping[str, HourAssets],
) -> dg.SensorDefinition:
    """The sensor over hours that are over.

    Args:
        connections: for which nobody waits long.
        loaded: the partitions that there are.
        prefixes: of the bucket, and the assets that come of what lies below them by hour.
    """

    @dg.sensor(
        name=QUIET_HOURS_SENSOR,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Reports hours in which nothing had to land, so that they do not look missing. "
        "Requests no run.",
    )
    def quiet_hours(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor = QuietHoursCursor.from_json(context.cursor)
        hour = next_hour(cursor.looked_at, loaded.first, datetime.now(UTC))
        if hour is None:
            return dg.SensorResult(skip_reason="no other hour is over", cursor=cursor.to_json())
        partition = hour.strftime(PARTITION_FORMAT)
        try:
            quiet = quiet_assets(connections.objects, prefixes, hour)
        except TradeAssetsError as error:
            return dg.SensorResult(skip_reason=str(error), cursor=cursor.to_json())
        reported = report_quiet(context.instance, quiet, partition)
        cursor.looked_at = partition
        note = f"{partition}: {reported} assets had nothing to come"
        return dg.SensorResult(skip_reason=note, cursor=cursor.to_json())

    return quiet_hours


def next_hour(looked_at: str, first: datetime, now: datetime) -> datetime | None:
    """The first hour that is over and was not looked at; None: there is none.

    Args:
        looked_at: partition of the last one that was; empty: none was.
        first: the first hour that is a partition.
    """
    over = (now - OVER_AFTER).replace(minute=0, second=0, microsecond=0) - _HOUR
    hour = max(first, over - LOOKED_BACK)
    if looked_at:
        hour = max(hour, partition_hour(looked_at) + _HOUR)
    return hour if hour <= over else None


def quiet_assets(
    objects: ObjectStore, prefixes: Mapping[str, HourAssets], hour: datetime
) -> list[dg.AssetKey]:
    """The assets of those prefixes that have no object of an hour, nor had to.

    Raises:
        StoreUnavailableError: S3 cannot be reached.
    """
    return [
        key
        for prefix, assets in prefixes.items()
        if not assets.due(hour)
        and next(iter(objects.list_after(f"{prefix}{day_and_hour(hour)}")), None) is None
        for key in assets.keys
    ]


def report_quiet(
    instance: dg.DagsterInstance, assets: Iterable[dg.AssetKey], partition: str
) -> int:
    """Report assets of an hour without a row, but those that are materialised; how many."""
    reported = 0
    for key in assets:
        known = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
        if instance.fetch_materializations(known, limit=1).records:
            continue
        instance.report_runless_asset_event(
            dg.AssetMaterialization(
                key,
                description="Nothing was due in this hour, and nothing came.",
                partition=partition,
                metadata={ROW_COUNT: 0},
            )
        )
        reported += 1
    return reported
