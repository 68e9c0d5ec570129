"""Asset checks of the snapshots: is a kind still taken, and is what was written as it should be.

The slot runs report those that they can tell, a rerun of an hour yields all but `freshness`, and
that can be run by hand.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from trade_assets.datasets.keys import HISTORY, RAW
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import (
    FRESHNESS_CHECK,
    ROWS_CHECK,
    SCHEMA_CHECK,
    SYMBOLS_CHECK,
    TT_STORES,
)
from trade_assets.defs.shared.written_checks import (
    schema_outcome,
    symbols_outcome,
    ticks_outcomes,
    ticks_specs,
)
from trade_assets.monitor.freshness import Freshness, freshness_limit
from trade_assets.tt.formats.slot_times import slot_at
from trade_assets.tt.formats.snapshot import Snapshot
from trade_assets.tt.slots.open_hours import OpenHours
from trade_assets.tt.slots.results import SnapshotFigures
from trade_assets.tt.slots.slot_counts import kind_freshness
from trade_assets.tt.tt_stores import TtStores


def freshness_outcome(stores: TtStores, snapshot: Snapshot, hours: OpenHours) -> CheckOutcome:
    """Whether both stores have a slot that is new enough, by the kind's status in Redis.

    Outside of the open hours nothing new is to be expected, and nothing is stale.
    """
    now = datetime.now(UTC)
    limit = freshness_limit(stores.settings, snapshot)
    status = stores.latest.status(snapshot)
    closed = hours.closed_reason(slot_at(now - timedelta(seconds=limit)))
    metadata: dict[str, Any] = {"limit_seconds": limit}
    slot = None
    if "last_event_time" in status:
        slot = datetime.fromisoformat(status["last_event_time"])
        age = round((now - slot).total_seconds(), 3)
        metadata |= {"age_seconds": age, "last_file": status.get("last_file", "")}
    if closed is not None:
        metadata["not_due"] = closed
    return CheckOutcome(
        layer_key(snapshot, RAW),
        FRESHNESS_CHECK,
        passed=closed is not None or kind_freshness(hours, slot, limit, now) is Freshness.OK,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def freshness_check(snapshot: Snapshot, hours: OpenHours) -> dg.AssetChecksDefinition:
    """The check of a kind, to be run by hand."""

    @dg.asset_check(
        asset=layer_key(snapshot, RAW),
        name=FRESHNESS_CHECK,
        description=f"A slot of the last {snapshot.freshness_seconds:g} s (a setting) is in both "
        "stores, while slots are due.",
        required_resource_keys={TT_STORES},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        return freshness_outcome(context.resources.tt_stores, snapshot, hours).as_result()

    return check


def write_check_specs(snapshot: Snapshot) -> list[dg.AssetCheckSpec]:
    """Specs of the checks on data that was just written."""
    history = layer_key(snapshot, HISTORY)
    return [
        dg.AssetCheckSpec(
            SCHEMA_CHECK,
            asset=history,
            description="Records have exactly the columns and types that the registry declares.",
        ),
        dg.AssetCheckSpec(
            ROWS_CHECK,
            asset=history,
            description="Every snapshot can be read, and every row of it is a record.",
        ),
        dg.AssetCheckSpec(
            SYMBOLS_CHECK,
            asset=history,
            description="Every row's instrument is translated (a warning: the rows are stored "
            "under their own ids).",
        ),
        *ticks_specs(snapshot),
    ]


def write_check_outcomes(figures: SnapshotFigures) -> Iterator[CheckOutcome]:
    """Outcomes of the checks on hours that were just written."""
    yield schema_outcome(figures)
    yield rows_outcome(
        figures.dataset,
        figures.rows_rejected - figures.duplicates,
        {
            "snapshots": figures.files,
            "snapshots_quarantined": figures.quarantined,
            "rows": figures.rows_stored,
            "duplicates": figures.duplicates,
            "partition": figures.partition,
        },
        readable=not figures.quarantined,
    )
    yield symbols_outcome(figures)
    yield from ticks_outcomes(figures)


def rows_outcome(
    snapshot: Snapshot, rejected: int, metadata: dict[str, Any], *, readable: bool = True
) -> CheckOutcome:
    """Outcome of the check of rows; `rejected`: rows that are neither records nor duplicates."""
    return CheckOutcome(
        layer_key(snapshot, HISTORY),
        ROWS_CHECK,
        passed=readable and not rejected,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"rejected": rejected, **metadata},
    )
