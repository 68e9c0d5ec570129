"""The sensor that keeps where partitions begin: it moves the mark back to the first hour that the
bucket has data of, and has the definitions loaded again where they begin later than that.

The bucket says what is true: keys sort by hour, so one listing a prefix finds the first. Nobody who
writes data has to think of the mark.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import dagster as dg
import urllib3

from trade_assets.datasets.keys import PARTITION_FORMAT, hour_of_key
from trade_assets.defs.shared.loaded_hours import EARLIEST, LoadedHours
from trade_assets.defs.shared.names import PARTITIONS_SENSOR
from trade_assets.errors import TradeAssetsError
from trade_assets.ingest.json_cursor import JsonCursor
from trade_assets.stores.connections import Connections
from trade_assets.stores.dynamodb.first_hour import FirstHour
from trade_assets.stores.s3.objects import ObjectStore

LISTED_EVERY_SECONDS: Final = 300.0
"""Between two looks at the bucket: a listing costs money on AWS, and older data are rare."""
RELOAD_EVERY_SECONDS: Final = 60.0
RELOAD_SECONDS: Final = 30.0
"""How long the web server may take to load the definitions: 6 s on an idle machine."""

_RELOAD: Final = "mutation { reloadWorkspace { __typename ... on PythonError { message } } }"


@dataclass
class PartitionsCursor(JsonCursor):
    """What the sensor remembers: when the bucket was looked at, and a reload asked for (epoch)."""

    listed_at: float = 0.0
    reload_at: float = 0.0


def partitions_sensor(
    connections: Connections, loaded: LoadedHours, prefixes: Sequence[str]
) -> dg.SensorDefinition:
    """The sensor over the first hours of the bucket.

    Args:
        connections: for which nobody waits long.
        loaded: what this process has loaded.
        prefixes: of the bucket, below which data lie by hour.
    """

    @dg.sensor(
        name=PARTITIONS_SENSOR,
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Partitions begin with the first hour that has data, and earlier when older "
        "data land. Requests no run.",
    )
    def hour_partitions(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor = PartitionsCursor.from_json(context.cursor)
        try:
            note = _look(connections, cursor, loaded, prefixes)
        except TradeAssetsError as error:
            note = str(error)
        return dg.SensorResult(skip_reason=note, cursor=cursor.to_json())

    return hour_partitions


def first_hour(objects: ObjectStore, prefixes: Iterable[str]) -> datetime | None:
    """The first hour of data below prefixes of the bucket, from `EARLIEST` on; None: there are
    none. What lies in a time to come, or under a name that is no hour, does not count.

    Raises:
        StoreUnavailableError: S3 cannot be reached.
    """
    now, found = datetime.now(UTC), []
    for prefix in prefixes:
        earliest = f"{prefix}{EARLIEST:dt=%Y-%m-%d}"
        listed = objects.list_after(prefix, earliest)
        hour = next((hour for info in listed if (hour := hour_of_key(info.key))), None)
        if hour is not None and hour <= now:
            found.append(hour)
    return min(found, default=None)


def _look(
    connections: Connections, cursor: PartitionsCursor, loaded: LoadedHours, prefixes: Sequence[str]
) -> str:
    """Look once; says how things stand."""
    store, now = FirstHour(connections.settings, connections.dynamodb), time.time()
    if now - cursor.listed_at >= LISTED_EVERY_SECONDS:
        hour = first_hour(connections.objects, prefixes)
        if hour is not None:
            store.note(hour)
        cursor.listed_at = now
    mark = store.read()
    if not loaded.lacks(mark):
        return f"partitions begin at {loaded.first:{PARTITION_FORMAT}}"
    note = f"data begin at {mark:{PARTITION_FORMAT}}, loaded from {loaded.first:{PARTITION_FORMAT}}"
    url = connections.settings.platform.dagster_url
    if url is None:
        return f"{note}; the code location is to be reloaded"
    if now - cursor.reload_at >= RELOAD_EVERY_SECONDS:
        cursor.reload_at = now
        return f"{note}; {reload_definitions(url)}"
    return f"{note}; a reload was asked for"


def reload_definitions(url: str) -> str:
    """Ask Dagster's web server to load all definitions again; what it said, in words."""
    try:
        answer = urllib3.request(
            "POST",
            f"{url.rstrip('/')}/graphql",
            json={"query": _RELOAD},
            retries=False,
            timeout=RELOAD_SECONDS,
        )
        found = answer.json()["data"]["reloadWorkspace"]
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
        return f"{url} does not reload them ({type(error).__name__})"
    return str(found.get("message") or "reloaded")
