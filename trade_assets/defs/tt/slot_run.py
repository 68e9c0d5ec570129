"""The run of a slot: one op that takes it and reports into the assets. The sensor requests it."""

import time
from collections.abc import Iterator
from typing import Any, Final

import dagster as dg
from pydantic import Field

from trade_assets.datasets.keys import HISTORY, LATEST, PARTITION_FORMAT, RAW
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import (
    HISTORY_IO,
    LATEST_IO,
    PRIORITY_TAG,
    QUICK_TT_STORES,
    RUN_KIND_TAG,
    SLOT_JOB,
    SLOT_RUNS,
    SLOT_STORES,
    TAKE_OP,
    TT,
)
from trade_assets.defs.tt.checks import freshness_outcome, rows_outcome
from trade_assets.errors import TradeAssetsError
from trade_assets.logs import configure_run, get_logger
from trade_assets.tt.datasets import SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.slot_times import hour_of, slot_of_text, slot_text
from trade_assets.tt.slots.open_hours import open_hours
from trade_assets.tt.slots.results import KindResult, SlotOutcome, SlotResult
from trade_assets.tt.slots.take import SnapshotTaker
from trade_assets.tt.tt_stores import TtStores

log = get_logger(__name__)

CHECKS_EVERY_SECONDS: Final = 3600.0
"""A check that says the same as before is reported again after this: Dagster keeps a row for every
run that reports a check, also when the run is long deleted."""

_PASSED: Final = "SUCCEEDED"


class SlotConfig(dg.Config):
    """Which slot to take."""

    slot: str = Field(description="The half minute, ISO with a zone, e.g. 20261121T100030Z.")


@dg.op(
    name=TAKE_OP,
    required_resource_keys={QUICK_TT_STORES, SLOT_STORES, TT, LATEST_IO, HISTORY_IO},
    out=dg.Out(dg.Nothing),
    description="Takes the snapshot of one slot: asks TT, keeps the answers, writes both stores.",
)
def take_slot(context: dg.OpExecutionContext, config: SlotConfig) -> Iterator[object]:
    """Take the slot and report it.

    A generator: Dagster stores what it yields at once, and `log_event` at the next yield.
    """
    stores: TtStores = context.resources.quick_tt_stores
    # A store that is away is not waited for: the next slots write what it is owed.
    writing: TtStores = context.resources.slot_stores
    configure_run(stores.settings, context.run_id)
    try:
        slot = slot_of_text(config.slot)
    except ValueError as error:
        raise dg.Failure(f"no slot: {error}", allow_retries=False) from None
    taker = SnapshotTaker(
        stores.settings,
        stores,
        context.resources.tt,
        context.resources.latest_io_manager.over(writing),
        context.resources.history_io_manager.over(writing),
    )
    with writing.connections.ended_by_interruption():
        result = taker.take(slot, context.run_id)
    yield from _events(context, stores, result)
    _judge(context, result)
    yield dg.Output(None)


def _events(
    context: dg.OpExecutionContext, stores: TtStores, result: SlotResult
) -> Iterator[dg.AssetMaterialization]:
    # Checks first: `log_event` is stored at the next yield, and a check of this run counts for
    # the run's materialisations.
    try:
        for outcome in _outcomes(stores, result):
            if _is_news(context.instance, outcome):
                context.log_event(outcome.as_evaluation())  # type: ignore[arg-type]
    except TradeAssetsError as error:
        # A check that cannot look says so and does not spoil the slot.
        log.warning("checks not evaluated", error=str(error))
    partition = f"{hour_of(result.slot):{PARTITION_FORMAT}}"
    for kind in result.kinds.values():
        for layer, metadata in _layers(result, kind).items():
            key = layer_key(SNAPSHOTS_BY_KIND[kind.kind], layer)
            yield dg.AssetMaterialization(asset_key=key, partition=partition, metadata=metadata)


def _outcomes(stores: TtStores, result: SlotResult) -> Iterator[CheckOutcome]:
    hours = open_hours(stores.settings)
    for kind in result.kinds.values():
        if not kind.written:
            continue
        snapshot = SNAPSHOTS_BY_KIND[kind.kind]
        yield freshness_outcome(stores, snapshot, hours)
        yield rows_outcome(
            snapshot,
            kind.rejected,
            {"slot": slot_text(result.slot), "rows": kind.rows, "reason": kind.reason},
        )


def _is_news(instance: dg.DagsterInstance, outcome: CheckOutcome) -> bool:
    """Whether the check said something else last, or nothing for long."""
    record = instance.get_latest_asset_check_evaluation_record(outcome.key)
    if record is None or (record.status.value == _PASSED) is not outcome.passed:
        return True
    return bool(time.time() - record.create_timestamp >= CHECKS_EVERY_SECONDS)


def _layers(result: SlotResult, kind: KindResult) -> dict[str, dict[str, Any]]:
    """Metadata by layer, of those that hold this slot now."""
    layers: dict[str, dict[str, Any]] = {}
    slot = {"slot": slot_text(result.slot), "rows": kind.rows}
    if kind.stored:
        layers[RAW] = {**slot, "key": kind.key, "bytes": kind.size, **_how_it_went(result, kind)}
    if kind.written:
        layers[LATEST] = {**slot, "records_changed": kind.changed, "records_gone": kind.gone}
        layers[HISTORY] = {**slot, "items_put": kind.puts, "rejects": kind.rejected}
    return layers


def _how_it_went(result: SlotResult, kind: KindResult) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "state": kind.state.value,
        "seconds": round(result.seconds, 3),
        **result.calls,
        **_protection(result),
    }
    if result.offset_seconds is not None:
        metadata["first_call_offset_seconds"] = round(result.offset_seconds, 3)
    if kind.caught_up:
        metadata["caught_up"] = kind.caught_up
    if kind.reason:
        metadata["reason"] = kind.reason
    if kind.notes:
        metadata["notes"] = list(kind.notes)
    return metadata


def _protection(result: SlotResult) -> dict[str, Any]:
    """How the protection layer stands after the slot."""
    state = result.protection
    if not state:
        return {}
    return {
        "breaker": state["breaker"],
        "budget_used": state["budget_used"],
        "budget_used_percent": round(float(state["budget_percent"]), 2),
    }


def _judge(context: dg.OpExecutionContext, result: SlotResult) -> None:
    """A run that kept nothing fails; one that kept a part warns."""
    reasons = {kind.kind: kind.shown for kind in result.kinds.values() if kind.reason}
    if result.outcome is SlotOutcome.PARTIAL:
        context.log.warning(f"slot {slot_text(result.slot)} is partial: {result.reason}")
    elif not result.whole:
        raise dg.Failure(
            f"slot {slot_text(result.slot)} {result.outcome.value}: {result.reason}",
            metadata={**reasons, **_protection(result)},
            allow_retries=False,
        )


@dg.job(
    name=SLOT_JOB,
    executor_def=dg.in_process_executor,
    # Before everything else that waits: a slot is half a minute long.
    tags={RUN_KIND_TAG: SLOT_RUNS, PRIORITY_TAG: "20"},
    description="The snapshot of one half minute; the slot sensor requests it.",
)
def tt_snapshot() -> None:
    """The run of a slot."""
    take_slot()
