"""The runs of slots in Dagster's books: how one is requested, which are unfinished, or dead."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from trade_assets.capture.decide import ActiveRun
from trade_assets.capture.documents import hour_of
from trade_assets.defs.feeds.keeper import ACTIVE
from trade_assets.defs.names import SLOT_JOB, SLOT_TAG, TAKE_OP
from trade_assets.feeds.keys import PARTITION_FORMAT
from trade_assets.feeds.snapshots.slots import slot_at, slot_text

HOUR_TAG: Final = "trade_assets/hour"
_RUNS_LOOKED_AT: Final = 20


def slot_of_text(text: str) -> datetime:
    """The slot of an ISO time with a zone, e.g. `20261121T100030Z` or `2026-11-21T10:00:30Z`.

    Raises:
        ValueError: it is none, or no half minute.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None or moment != slot_at(moment):
        raise ValueError(f"{text!r} is no :00 or :30 of a minute with a zone")
    return moment.astimezone(UTC)


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
        dg.RunsFilter(job_name=SLOT_JOB, statuses=ACTIVE), limit=_RUNS_LOOKED_AT, ascending=True
    )
    return [
        ActiveRun(
            record.dagster_run.run_id,
            _tagged_slot(record.dagster_run.tags),
            record.create_timestamp.astimezone(UTC),
        )
        for record in records
    ]


def end_dead(instance: dg.DagsterInstance, dead: Iterable[ActiveRun]) -> None:
    """End runs in Dagster's books: its launcher never notices that a run's process died."""
    for item in dead:
        run = instance.get_run_by_id(item.run_id)
        if run is not None and not run.is_finished:
            instance.report_run_failed(
                run, "The run's process is gone: it took longer than a snapshot ever can."
            )


def _tagged_slot(tags: Mapping[str, str]) -> datetime | None:
    try:
        return slot_of_text(tags.get(SLOT_TAG, ""))
    except ValueError:
        return None
