"""The hours that are partitions, as a process has loaded them: from the first one with data on.

The mark is an item of the ledger's table (`stores.dynamodb.first_hour`), which the sensor of the
partitions moves back. Dagster fixes where partitions begin when it loads the definitions, so a
process that has loaded a later hour has to load them again (`partitions_sensor`).
"""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from trade_assets.datasets.keys import PARTITION_FORMAT, partition_hour
from trade_assets.errors import StoreUnavailableError
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb.calls import DynamoCalls
from trade_assets.stores.dynamodb.first_hour import FirstHour
from trade_assets.stores.retrying import Retries

if TYPE_CHECKING:
    from dagster import HourlyPartitionsDefinition

EARLIEST: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""No data are older; partitions begin here while nobody can say where data do."""

LOOK_SECONDS: Final = 2.0
"""How long loading the definitions waits for the store, which may be away or not be there at all:
every run loads them."""


@dataclass(frozen=True)
class LoadedHours:
    """From which hour on there are partitions.

    Attributes:
        first: the first of them, UTC.
        certain: somebody said so; else the store could not be asked.
    """

    first: datetime
    certain: bool = True

    @property
    def partitions(self) -> "HourlyPartitionsDefinition":
        """UTC hours up to the current one, inclusive: by when a file landed, or by slot."""
        # Who only compares hours (`local.loaded_watch`) does without Dagster's 28 MB.
        from dagster import HourlyPartitionsDefinition

        start = self.first.strftime(PARTITION_FORMAT)
        return HourlyPartitionsDefinition(start_date=start, end_offset=1)

    def lacks(self, mark: datetime | None) -> bool:
        """Whether the definitions are to be loaded again, now that data begin at `mark`."""
        return mark is not None and (not self.certain or mark < self.first)


def load_hours(settings: Settings, now: datetime | None = None) -> LoadedHours:
    """The hours to load now: from the setting, else from the mark, else from this hour on.

    Where the store does not answer within `LOOK_SECONDS` they begin at `EARLIEST`: too many
    partitions are better than none for data that are there.
    """
    if settings.arrival.partitions_start is not None:
        return LoadedHours(partition_hour(settings.arrival.partitions_start))
    try:
        mark = _look(settings)
    except StoreUnavailableError:
        return LoadedHours(EARLIEST, certain=False)
    this_hour = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    return LoadedHours(max(mark or this_hour, EARLIEST))


def _look(settings: Settings) -> datetime | None:
    """The mark, read in a thread that may be left alone: credentials and sockets have timeouts of
    their own, which are longer.

    Raises:
        StoreUnavailableError: it cannot be read, or not in time.
    """
    found: list[datetime | None] = []
    failed: list[Exception] = []

    def look() -> None:
        try:
            calls = DynamoCalls(settings, Retries(0))
            try:
                found.append(FirstHour(settings, calls).read())
            finally:
                calls.close()
        except Exception as error:  # botocore has many of its own; none may keep all from loading
            failed.append(error)

    thread = threading.Thread(target=look, name="first-hour", daemon=True)
    thread.start()
    thread.join(LOOK_SECONDS)
    if found:
        return found[0]
    why = str(failed[0]) if failed else f"no answer within {LOOK_SECONDS:g} s"
    raise StoreUnavailableError(f"reading where data begin: {why}")
