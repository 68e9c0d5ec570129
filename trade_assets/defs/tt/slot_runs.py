"""The runs of slots in Dagster's books: how one is requested, which are unfinished, or dead."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

import dagster as dg

from trade_assets.datasets.keys import PARTITION_FORMAT
from trade_assets.defs.shared.dagster_terms import UNFINISHED
from trade_assets.defs.shared.names import SLOT_JOB, SLOT_TAG, TAKE_OP
from trade_assets.errors import TradeAssetsError
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import IMPATIENT_SECONDS, connect, disconnect
from trade_assets.tt.formats.slot_times import hour_of, slot_of_text, slot_text
from trade_assets.tt.slots.schedule import ActiveRun
from trade_assets.tt.slots.slot_lease import SlotLease

if TYPE_CHECKING:
    import redis

HOUR_TAG: Final = "trade_assets/hour"
_RUNS_LOOKED_AT: Final = 20

LEASE_AFTER: Final = timedelta(seconds=10)
"""So long after its process began a run has the lease, or has had it, or died on the way."""


class LeaseLook:
    """Looks who has the slot lease, and not for long: a slot waits meanwhile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def holder(self) -> str | None:
        """As `SlotLease.holder`."""
        return self._lease.holder()

    def close(self) -> None:
        """Give the connection back."""
        if "_redis" in self.__dict__:
            disconnect(self._redis)

    @cached_property
    def _lease(self) -> SlotLease:
        return SlotLease(self._settings, self._redis)

    @cached_property
    def _redis(self) -> "redis.Redis":
        return connect(self._settings, IMPATIENT_SECONDS)


def slot_run_request(slot: datetime) -> dg.RunRequest:
    """Request the one run of a slot."""
    text = slot_text(slot)
    return dg.RunRequest(
        run_key=text,
        job_name=SLOT_JOB,
        run_config={"ops": {TAKE_OP: {"config": {"slot": text}}}},
        tags={SLOT_TAG: text, HOUR_TAG: f"{hour_of(slot):{PARTITION_FORMAT}}"},
    )


def unfinished_slot_runs(instance: dg.DagsterInstance) -> list[ActiveRun]:
    """Slot runs that Dagster holds for queued, starting, running or being terminated, the oldest
    first."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=SLOT_JOB, statuses=UNFINISHED), limit=_RUNS_LOOKED_AT, ascending=True
    )
    return [
        ActiveRun(
            record.dagster_run.run_id,
            _tagged_slot(record.dagster_run.tags),
            record.create_timestamp.astimezone(UTC),
            begun_at=None if record.start_time is None else _utc(record.start_time),
            launched_at=record.update_timestamp.astimezone(UTC) if _is_launched(record) else None,
        )
        for record in records
    ]


def without_lease(
    runs: Sequence[ActiveRun],
    now: datetime,
    holder: Callable[[], str | None],
    loaded_at: datetime,
) -> list[ActiveRun]:
    """The runs, with those marked as not asking that have had the slot lease (or died before) and
    have it not any more, and those whose process was asked for of an earlier code server and did
    not begin: it died with that server. Another one that waits for its process may yet ask.

    `holder` says who has the lease; where it cannot, every run that began may be asking.
    `loaded_at` is when this code server began.
    """
    lost = {run.run_id for run in runs if run.launched_at and run.launched_at < loaded_at}
    runs = [replace(run, asks=run.asks and run.run_id not in lost) for run in runs]
    old = {run.run_id for run in runs if run.begun_at and now - run.begun_at > LEASE_AFTER}
    if not old:
        return runs
    try:
        text = holder() or ""
    except TradeAssetsError:
        return runs
    return [
        replace(run, asks=run.asks and (run.run_id not in old or run.run_id in text))
        for run in runs
    ]


def end_dead(instance: dg.DagsterInstance, dead: Iterable[ActiveRun]) -> None:
    """End runs in Dagster's books: its launcher never notices that a run's process died."""
    for item in dead:
        run = instance.get_run_by_id(item.run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(
                run, "The run's process is gone: it took longer than a snapshot ever can."
            )


def _is_launched(record: dg.RunRecord) -> bool:
    return record.dagster_run.status is dg.DagsterRunStatus.STARTING and record.start_time is None


def _utc(epoch_seconds: float) -> datetime:
    return datetime.fromtimestamp(epoch_seconds, UTC)


def _tagged_slot(tags: Mapping[str, str]) -> datetime | None:
    try:
        return slot_of_text(tags.get(SLOT_TAG, ""))
    except ValueError:
        return None
