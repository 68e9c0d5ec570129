"""A rerun of which a store refuses a file: that file fails, by name, and the others are stored."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import pytest

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import FILE_KEY
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreRejectedError
from trade_assets.feeds.derivation import DerivedHour
from trade_assets.feeds.derived.declarations import GREEKS
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.ingest.hour_records import WholeSet
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.io_managers.latest_io_manager import LatestIOManager
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets.stores.redis.latest_set import Replaced
from trade_assets.tt.formats.positions_snapshot import POSITIONS
from trade_assets_tests.stores.samples import HOUR, SPOT, spot_bytes, spot_key
from trade_assets_tests.support.materialise import PARTITION
from trade_assets_tests.support.stores import Stores

GOOD, BAD = spot_key(1), spot_key(2)


class RefusingHistory(HistoryIOManager):
    """Refuses whatever comes from one file."""

    def write(
        self,
        dataset: Dataset,
        records: pl.DataFrame,
        stated: StatedAt = NOTHING_STATED,
        *,
        settle: bool = False,
    ) -> HistoryWritten:
        if BAD in records[FILE_KEY].to_list():
            raise StoreRejectedError("refused, as asked")
        return super().write(dataset, records, stated, settle=settle)


def bids(stores: Stores) -> list[float]:
    """What the history has of the contract that both files quote."""
    return [float(row["bid_price"]) for row in stores.history.read(SPOT, "XCME.ZN.SEP25")]


@pytest.fixture
def files(stores: Stores) -> HourFiles:
    stores.objects.put(GOOD, spot_bytes({"XCME.ZN.SEP25": 110.5, "XCME.ZF.SEP25": 108.0}))
    stores.objects.put(BAD, spot_bytes({"XCME.ZN.SEP25": 110.75}))
    made = HourFiles(stores, SPOT, [PARTITION])
    made.look()
    return made


def test_a_refused_file_costs_only_itself(stores: Stores, files: HourFiles) -> None:
    LatestIOManager(stores).store(files)
    RefusingHistory(stores, {}).store(files)
    files.account("run")
    assert [line["state"] for line in stores.ledger.entries(GOOD)] == ["stored"]
    (line,) = stores.ledger.entries(BAD)
    assert (line["state"], line["error"]) == ("failed", "refused, as asked")
    assert [float(row["bid_price"]) for row in stores.history.read(SPOT, "XCME.ZN.SEP25")] == [
        110.5
    ]
    assert files.figures.history_puts == 2
    with pytest.raises(StoreRejectedError, match=f"1 files could not be ingested: {BAD}: refused"):
        files.raise_failed()


def test_what_one_store_refuses_the_next_one_is_not_offered(
    stores: Stores, files: HourFiles
) -> None:
    files.refuse({BAD: StoreRejectedError("by Redis")})
    HistoryIOManager(stores, {}).store(files)
    assert [float(row["bid_price"]) for row in stores.history.read(SPOT, "XCME.ZN.SEP25")] == [
        110.5
    ]


def test_derived_records_that_are_refused_name_their_file(stores: Stores, files: HourFiles) -> None:
    derived = DerivedHour(stores, GREEKS, files)
    derived.refuse({BAD: StoreRejectedError("too large")})
    with pytest.raises(StoreRejectedError, match=f"{BAD}: too large"):
        derived.raise_failed()
    DerivedHour(stores, GREEKS, files).raise_failed()


def test_a_file_of_which_nothing_can_be_derived_costs_only_itself(
    stores: Stores, files: HourFiles
) -> None:
    def derive(records: pl.DataFrame, _: object) -> pl.DataFrame:
        if BAD in records[FILE_KEY].to_list():
            raise ZeroDivisionError("as asked")
        return records.select(
            name if name in records.columns else pl.lit(None, dtype).alias(name)
            for name, dtype in GREEKS.record_schema.items()
        )

    dataset = replace(GREEKS, derive=derive, inputs={})
    derived = DerivedHour(stores, dataset, files)
    derived.look()
    LatestIOManager(stores).store(derived)
    HistoryIOManager(stores, {}).store(derived)
    found = stores.latest.whole_frame(GREEKS)
    assert found[FILE_KEY].unique().to_list() == [GOOD]
    assert derived.figures.history_puts == found.height == 2
    with pytest.raises(StoreRejectedError, match=f"{BAD}: cannot derive: ZeroDivisionError"):
        derived.raise_failed()


class RefusingLatest(LatestIOManager):
    """Refuses every set."""

    def replace(
        self, dataset: Dataset, records: pl.DataFrame, file_key: str, event_time: datetime
    ) -> Replaced:
        raise StoreRejectedError("refused, as asked")


class OneSet(HourFiles):
    """A set as a kind of snapshot has it."""

    @property
    def dataset(self) -> Any:
        """A kind that is replaced."""
        return POSITIONS

    def newest_set(self) -> WholeSet:
        """Empty."""
        return WholeSet(HOUR, BAD, pl.DataFrame(schema=POSITIONS.record_schema))


def test_a_set_that_is_refused_is_noted_and_the_history_is_written_all_the_same(
    stores: Stores, files: HourFiles
) -> None:
    hours = OneSet(stores, SPOT, [PARTITION])
    hours.look()
    RefusingLatest(stores).store(hours)
    with pytest.raises(StoreRejectedError, match=f"{BAD}: refused, as asked"):
        hours.raise_failed()
