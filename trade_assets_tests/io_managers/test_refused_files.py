"""A rerun of which a store refuses a file: that file fails, by name, and the others are stored."""

import polars as pl
import pytest

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.records import FILE_KEY
from trade_assets.datasets.statements import NOTHING_STATED, StatedAt
from trade_assets.errors import StoreRejectedError
from trade_assets.feeds.derivation import DerivedHour
from trade_assets.feeds.derived.declarations import GREEKS
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.io_managers.latest_io_manager import LatestIOManager
from trade_assets.stores.dynamodb.history_store import HistoryWritten
from trade_assets_tests.stores.samples import SPOT, spot_bytes, spot_key
from trade_assets_tests.support.materialise import PARTITION
from trade_assets_tests.support.stores import Stores

GOOD, BAD = spot_key(1), spot_key(2)


class RefusingHistory(HistoryIOManager):
    """Refuses whatever comes from one file."""

    def write(
        self, dataset: Dataset, records: pl.DataFrame, stated: StatedAt = NOTHING_STATED
    ) -> HistoryWritten:
        if BAD in records[FILE_KEY].to_list():
            raise StoreRejectedError("refused, as asked")
        return super().write(dataset, records, stated)


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
