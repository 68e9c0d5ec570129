"""A store that took what cannot be, before that was rejected: a rerun of the hour repairs it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from trade_assets.datasets.dataset import Dataset
from trade_assets.datasets.keys import PARTITION_FORMAT, feed_file_key
from trade_assets.feeds.datasets import DERIVED
from trade_assets.feeds.feed_status import feed_status
from trade_assets.ingest.impossible import TakeBack, TakenBack
from trade_assets.ingest.reading import FileResult, FileVersion, read_files
from trade_assets.market.trading_days import CENTRAL
from trade_assets.monitor.freshness import Freshness
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets_tests.feeds.stream.derived_files import (
    CALLS,
    chain_bytes,
    sod_bytes,
    sod_key,
    times_bytes,
    times_key,
)
from trade_assets_tests.feeds.stream.harness import consuming, drained
from trade_assets_tests.stores.samples import (
    FILLS,
    HOUR,
    SPOT,
    history_items,
    ledger_bytes,
    ledger_key,
    raw_redis,
    redis_records,
    spot_bytes,
    spot_key,
)
from trade_assets_tests.support.materialise import Materialise
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores

NEXT = HOUR + timedelta(hours=1)
GREEKS, POSITIONS = DERIVED["derived/greeks"], DERIVED["derived/positions"]
DATASETS: tuple[Dataset, ...] = (SPOT, FILLS, GREEKS, POSITIONS)

LATER = "4,XCMEFFDPSX20250919U0ZN,2098-07-17 09:00:04.500,B,1.0,99"
GOOD = {
    times_key(0): times_bytes(2.0),
    sod_key(): sod_bytes(5, 110.0),
    spot_key(1): chain_bytes(110.5),
    spot_key(3): chain_bytes(110.75, calls=CALLS[:2]),
    ledger_key(): ledger_bytes([111.5, 111.25]),
    spot_key(3605, NEXT): chain_bytes(110.25, calls=CALLS[1:2]),
}
"""Files as they should be, of two hours."""
NAMED_WRONG = feed_file_key(SPOT, "bav_analysis_20991231_120000.csv", HOUR)
WRONG = {
    **GOOD,
    NAMED_WRONG: chain_bytes(99.0),
    ledger_key(): ledger_bytes([111.5, 111.25], LATER),
}
"""The same with a file of another century, and with a trade of another century in the ledger."""


def put(stores: Stores, files: Mapping[str, bytes]) -> None:
    for key, data in files.items():
        stores.objects.put(key, data)


def ingest(stores: Stores, files: Mapping[str, bytes]) -> None:
    """As the stream does."""
    with consuming(stores):
        put(stores, files)
        drained(stores, *files)


def state(settings: Settings) -> dict[str, Any]:
    """All records, what the status says of them, and what time is covered."""
    # A ledger is a statement: what it does not say any more is closed too, which no read shows.
    items = [item for item in history_items(settings) if not item["sk"]["S"].endswith("#gone")]
    found: dict[str, Any] = {"history": items}
    with raw_redis(settings) as client:
        for dataset in DATASETS:
            scope = f"{dataset.source}:{dataset.name}"
            status: Any = client.hgetall(f"status:{scope}")
            found[dataset.path] = (
                redis_records(settings, dataset),
                status.get("last_file"),
                status.get("last_event_time"),
                client.zrange(f"coverage:{scope}", 0, -1, withscores=True),
            )
    return found


@pytest.fixture
def believing(provisioned: Settings) -> Iterator[Stores]:
    """Stores that take everything for possible, as all did before."""
    with Stores(provisioned.changed({"ahead_seconds": 1e10})) as made:
        yield made


@pytest.fixture
def expected(local_parts: LocalParts, settings: Settings) -> dict[str, Any]:
    """What stores hold that never saw anything impossible."""
    reference = local_parts.settings(settings.home_path)
    provision(reference)
    with Stores(reference) as others:
        for key, data in GOOD.items():
            ingest(others, {key: data})
    return state(reference)


def rerun_all(materialise: Materialise) -> None:
    for dataset in DATASETS:
        for hour in (HOUR, NEXT):
            assert materialise(dataset, partition=hour.strftime(PARTITION_FORMAT)).success


def test_the_stream_rejects_them_file_by_file_and_row_by_row(
    stores: Stores, provisioned: Settings, expected: dict[str, Any]
) -> None:
    for key, data in WRONG.items():
        ingest(stores, {key: data})
    assert state(provisioned) == expected
    (named,) = stores.ledger.entries(NAMED_WRONG)
    assert (named["state"], named["rows_stored"], named["rows_rejected"]) == ("stored", "0", "4")
    assert "2099-12-31T18:00:00.000000Z" in named["error"]
    (ledger,) = stores.ledger.entries(ledger_key())
    assert (ledger["rows_stored"], ledger["rows_rejected"]) == ("2", "1")
    held = {info.key for info in stores.objects.list_after("quarantine/")}
    assert {f"quarantine/{NAMED_WRONG}", f"quarantine/{ledger_key()}"} < held


@pytest.mark.parametrize("corrected", [False, True], ids=["as it was", "corrected files"])
def test_a_rerun_repairs_a_frozen_store(
    materialise: Materialise,
    stores: Stores,
    believing: Stores,
    provisioned: Settings,
    expected: dict[str, Any],
    corrected: bool,
) -> None:
    for key, data in WRONG.items():
        ingest(believing, {key: data})
    frozen = feed_status(stores, SPOT, datetime.now(UTC))
    assert frozen.freshness is Freshness.AHEAD
    assert stores.latest.read(SPOT, [CALLS[1]])[0]["file_key"] == NAMED_WRONG
    assert state(provisioned) != expected
    if corrected:
        put(stores, {ledger_key(): GOOD[ledger_key()]})
    rerun_all(materialise)
    assert state(provisioned) == expected
    assert feed_status(stores, SPOT, datetime.now(UTC)).freshness is Freshness.OK
    rerun_all(materialise)
    assert state(provisioned) == expected


def test_a_key_that_only_an_impossible_record_had_is_gone_and_readers_are_told(
    materialise: Materialise, stores: Stores, believing: Stores
) -> None:
    only = feed_file_key(SPOT, "bav_analysis_20991231_120000.csv", HOUR)
    ingest(believing, {spot_key(1): spot_bytes({"A": 1.0}), only: spot_bytes({"A": 2.0, "B": 3.0})})
    with raw_redis(believing.settings) as client:
        before = client.xinfo_stream("updates:actant:spot_risk")["last-generated-id"]
        assert materialise(SPOT).success
        entries: Any = client.xrange("updates:actant:spot_risk", f"({before}")
    assert stores.latest.record_keys(SPOT) == ["A"]
    assert float(stores.latest.read(SPOT, ["A"])[0]["bid_price"]) == 1.0
    assert entries[0][1]["record_keys"] == '["A","B"]'
    assert list(stores.history.read(SPOT, "B")) == []


def test_a_record_ahead_of_its_file_but_not_of_the_clock_any_more_is_taken_back_too(
    materialise: Materialise, stores: Stores, believing: Stores, provisioned: Settings
) -> None:
    """A clock that was a day ahead, and nothing has come for longer than that since."""
    day_ahead = datetime.now(UTC) + timedelta(days=1)
    name = f"bav_analysis_{day_ahead.astimezone(CENTRAL):%Y%m%d_%H%M%S}.csv"
    wrong = feed_file_key(SPOT, name, HOUR)
    ingest(believing, {spot_key(1): spot_bytes({"A": 1.0}), wrong: spot_bytes({"A": 2.0})})
    files = read_back(stores, wrong)
    later = datetime.now(UTC) + timedelta(days=3)
    assert TakeBack(stores, SPOT, files, later).run() == TakenBack(latest=1, history=1)
    assert float(stores.latest.read(SPOT, ["A"])[0]["bid_price"]) == 1.0
    status = stores.latest.status(SPOT)
    assert status["last_file"] == spot_key(1)
    assert TakeBack(stores, SPOT, files, later).run() == TakenBack()


def read_back(stores: Stores, *keys: str) -> list[FileResult]:
    """Files as a rerun reads them."""
    infos = [info for info in stores.objects.head_many(keys) if info is not None]
    return read_files(stores, [FileVersion(i.key, i.etag, i.landed_at) for i in infos])


def test_the_next_file_puts_a_frozen_feed_right_without_a_rerun(
    stores: Stores, believing: Stores
) -> None:
    ingest(believing, {NAMED_WRONG: spot_bytes({"A": 2.0})})
    ingest(stores, {spot_key(1): spot_bytes({"A": 1.0})})
    assert float(stores.latest.read(SPOT, ["A"])[0]["bid_price"]) == 1.0
    found = feed_status(stores, SPOT, datetime.now(UTC))
    assert (found.last_file, found.freshness) == (spot_key(1), Freshness.OK)
    assert len(stores.coverage.intervals(SPOT)) == 1
