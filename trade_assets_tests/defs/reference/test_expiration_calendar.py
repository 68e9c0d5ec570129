"""The expiration calendar: kept whole, checked by its round trip, made when it is missing."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from trade_assets.datasets.keys import reference_key
from trade_assets.definitions import build_definitions
from trade_assets.defs.reference.expiration_calendar import (
    KEY,
    expiration_calendar,
    expirations_round_trip,
)
from trade_assets.market.expirations import EXPIRATIONS_SCHEMA
from trade_assets.market.symbols import SymbolNotation
from trade_assets.market.trading_days import CENTRAL
from trade_assets.settings import Settings
from trade_assets.stores.aws import s3_client
from trade_assets_tests.support.stores import Stores

STORED = reference_key("expirations")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def definitions(provisioned: Settings) -> dg.Definitions:
    return build_definitions(settings=provisioned)


def materialise(
    definitions: dg.Definitions, instance: dg.DagsterInstance, *extra: Any, only: Any = None
) -> dg.ExecuteInProcessResult:
    """Materialise the calendar and evaluate its check, and materialise what is given beside."""
    return dg.materialize(
        [expiration_calendar, expirations_round_trip, *extra],
        instance=instance,
        resources=dict(definitions.resources or {}),
        selection=only,
        raise_on_error=False,
    )


def stored(stores: Stores) -> pl.DataFrame:
    """The table in the bucket."""
    return pl.read_parquet(BytesIO(stores.objects.get(STORED).data))


def check_of(result: dg.ExecuteInProcessResult) -> dg.AssetCheckEvaluation:
    """The one check of a run."""
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.asset_key) == ("round_trip", KEY)
    return check


def test_the_calendar_is_stored_as_parquet_and_passes_its_check(
    definitions: dg.Definitions, instance: dg.DagsterInstance, stores: Stores
) -> None:
    result = materialise(definitions, instance)
    assert result.success
    assert STORED == "reference/expirations.parquet"
    frame = stored(stores)
    assert frame.schema == EXPIRATIONS_SCHEMA
    check = check_of(result)
    assert check.passed
    names = [notation.value for notation in SymbolNotation]
    symbols = frame.height * len(names) - sum(frame.select(names).null_count().row(0))
    assert check.metadata["symbols"].value == symbols > frame.height
    (event,) = result.get_asset_materialization_events()
    told = event.step_materialization_data.materialization.metadata
    assert told["key"].value == STORED
    assert told["dagster/row_count"].value == frame.height
    assert told["bytes"].value == len(stores.objects.get(STORED).data)
    assert told["last_expiry"].value == str(frame["expiry"].max())


def test_materialising_again_replaces_the_table(
    definitions: dg.Definitions, instance: dg.DagsterInstance, stores: Stores
) -> None:
    stores.objects.put(STORED, b"no table")
    assert materialise(definitions, instance).success
    first = stored(stores)
    assert materialise(definitions, instance).success
    assert_frame_equal(stored(stores), first)
    assert [info.key for info in stores.objects.list_after("reference/")] == [STORED]


def test_a_downstream_asset_loads_the_table_as_it_is_stored(
    definitions: dg.Definitions, instance: dg.DagsterInstance, stores: Stores
) -> None:
    loaded: list[pl.DataFrame] = []

    @dg.asset(ins={"calendar": dg.AssetIn(key=KEY)})
    def downstream(calendar: pl.DataFrame) -> None:
        loaded.append(calendar)

    assert materialise(definitions, instance, downstream).success
    assert_frame_equal(loaded[0], stored(stores))


@pytest.mark.parametrize(
    ("notation", "symbol"),
    [
        (SymbolNotation.ACTANT_TIME, "no symbol at all"),
        (SymbolNotation.CME, "another row's"),
    ],
    ids=["unreadable", "of another contract"],
)
def test_a_symbol_that_does_not_come_back_fails_the_check(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    stores: Stores,
    notation: SymbolNotation,
    symbol: str,
) -> None:
    assert materialise(definitions, instance).success
    frame = stored(stores).filter(pl.col(notation.value).is_not_null())
    wrong, other = frame.row(0, named=True), frame.row(-1, named=True)
    given = other[notation.value] if symbol == "another row's" else symbol
    damaged = pl.when(pl.col("series_id") == wrong["series_id"]).then(pl.lit(given))
    buffer = BytesIO()
    frame.with_columns(damaged.otherwise(notation.value).alias(notation.value)).write_parquet(
        buffer
    )
    stores.objects.put(STORED, buffer.getvalue())
    only = dg.AssetSelection.checks(expirations_round_trip)
    result = materialise(definitions, instance, only=only)
    assert result.success
    check = check_of(result)
    assert not check.passed
    shown = str(check.metadata["wrong"].value)
    assert wrong["series_id"] in shown
    assert given in shown


class Automation:
    """The automation sensor, evaluated as the daemon does: a cursor goes from tick to tick."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        (sensor,) = (
            sensor
            for sensor in definitions.sensors or ()
            if isinstance(sensor, dg.AutomationConditionSensorDefinition)
        )
        self._look = partial(
            dg.evaluate_automation_conditions,
            defs=definitions,
            instance=instance,
            asset_selection=sensor.asset_selection,
        )
        self._cursor: Any = None

    def requested(self, at: datetime) -> int:
        """How many runs of the calendar a tick requests; it requests nothing else."""
        looked = self._look(evaluation_time=at, cursor=self._cursor)
        self._cursor = looked.cursor
        assert looked.total_requested == looked.get_num_requested(KEY)
        return looked.total_requested


def _tomorrow_noon() -> datetime:
    """A time with no tick of the cron near, whenever the test runs."""
    return datetime.now(CENTRAL).replace(hour=12, minute=0) + timedelta(days=1)


@pytest.fixture
def automation(definitions: dg.Definitions, instance: dg.DagsterInstance) -> Automation:
    return Automation(definitions, instance)


def test_the_calendar_is_made_when_it_is_missing_and_then_once_a_day(
    definitions: dg.Definitions, instance: dg.DagsterInstance, automation: Automation
) -> None:
    now = _tomorrow_noon()
    assert automation.requested(now) == 1
    assert materialise(definitions, instance).success
    assert automation.requested(now + timedelta(seconds=60)) == 0
    for days in (1, 2):
        tick = now + timedelta(days=days, seconds=60)
        assert automation.requested(tick) == 1
        assert automation.requested(tick + timedelta(seconds=60)) == 0


def test_a_calendar_that_could_not_be_made_waits_for_the_next_day(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    stores: Stores,
    automation: Automation,
) -> None:
    s3_client(stores.settings).delete_bucket(Bucket=stores.settings.bucket)
    now = _tomorrow_noon()
    assert automation.requested(now) == 1
    assert not materialise(definitions, instance).success
    assert automation.requested(now + timedelta(seconds=60)) == 0
    assert automation.requested(now + timedelta(days=1, seconds=60)) == 1
