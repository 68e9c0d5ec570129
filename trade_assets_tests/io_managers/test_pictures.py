"""Spot risk in the history: changes only, by the stream and by reruns, and every row accounted."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from trade_assets.datasets.keys import HISTORY
from trade_assets.defs.shared.names import ROWS_CHECK
from trade_assets.feeds.hour_files import HourFiles
from trade_assets.io_managers.history_io_manager import HistoryIOManager
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import HOUR, SPOT, history_items, spot_bytes, spot_key
from trade_assets_tests.support.materialise import PARTITION, Materialise, metadata
from trade_assets_tests.support.stores import Stores

ZN, ZF = "XCME.ZN.SEP25", "XCME.ZF.SEP25"

pytestmark = pytest.mark.integration


def ingest(stores: Stores, seconds: int, bids: Mapping[str, float]) -> None:
    """As the stream does."""
    with consuming(stores):
        stores.objects.put(spot_key(seconds), spot_bytes(bids))
        drained(stores, spot_key(seconds))


def held(settings: Settings) -> list[tuple[str, str]]:
    """The records of the two contracts: key and second."""
    return [
        (item["record_key"]["S"], item["event_time"]["S"][17:19])
        for item in history_items(settings)
        if item["feed"]["S"] == SPOT.name
    ]


def counts(stores: Stores, seconds: int) -> tuple[str, str, str]:
    (line,) = stores.ledger.entries(spot_key(seconds))
    return line["rows_in"], line["rows_stored"], line["rows_unchanged"]


def bid_at(stores: Stores, key: str, seconds: int) -> float:
    until = HOUR.replace(minute=33) + timedelta(seconds=seconds + 1)
    (record,) = stores.history.read(SPOT, key, until=until, limit=1)
    return float(record["bid_price"])


def test_the_stream_keeps_changes_and_a_late_file_what_it_changes(
    stores: Stores, provisioned: Settings, materialise: Materialise
) -> None:
    ingest(stores, 0, {ZN: 110.5, ZF: 108.0})
    ingest(stores, 2, {ZN: 110.5, ZF: 108.25})
    assert held(provisioned) == [(ZF, "00"), (ZF, "02"), (ZN, "00")]
    assert (counts(stores, 0), counts(stores, 2)) == (("2", "2", "0"), ("2", "1", "1"))
    ingest(stores, 1, {ZN: 110.75, ZF: 108.25})
    assert [bid_at(stores, ZN, seconds) for seconds in range(3)] == [110.5, 110.75, 110.5]
    assert [bid_at(stores, ZF, seconds) for seconds in range(3)] == [108.0, 108.25, 108.25]
    # What was written before is there, and not needed any more.
    assert (counts(stores, 1), counts(stores, 2)) == (("2", "2", "0"), ("2", "1", "1"))
    assert materialise(SPOT).success
    assert held(provisioned) == [(ZF, "00"), (ZF, "01"), (ZN, "00"), (ZN, "01"), (ZN, "02")]
    assert (counts(stores, 1), counts(stores, 2)) == (("2", "2", "0"), ("2", "1", "1"))


def test_a_rerun_says_what_it_wrote_and_what_it_had_no_need_to(
    stores: Stores, materialise: Materialise
) -> None:
    for seconds in range(3):
        stores.objects.put(spot_key(seconds), spot_bytes({ZN: 110.5, ZF: 108.0 + seconds}))
    result = materialise(SPOT)
    told = metadata(result, SPOT, HISTORY)
    assert (told["rows"], told["items_put"], told["rows_unchanged"]) == (6, 4, 2)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    check = checks[ROWS_CHECK]
    assert check.passed
    assert check.metadata["rows_of_newest_file_missing"].value == 0


def test_what_is_loaded_has_every_row(stores: Stores) -> None:
    for seconds in range(3):
        stores.objects.put(spot_key(seconds), spot_bytes({ZN: 110.5, ZF: 108.0 + seconds}))
    files = HourFiles(stores, SPOT, [PARTITION])
    HistoryIOManager(stores, {}).store(files)
    (wanted,) = files.history_frames()
    order = ["event_time", "record_key"]
    assert stores.history.fetch(SPOT, wanted).sort(order).equals(wanted.sort(order))
