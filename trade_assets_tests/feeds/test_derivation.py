"""Deriving: which inputs are looked up and as of when, and what comes of them in both stores."""

from collections.abc import Iterator
from typing import Any

import orjson
import polars as pl
import pytest

from trade_assets.feeds.datasets import DERIVED, FEEDS, derived_from
from trade_assets.feeds.derivation import Deriver, newest_picture
from trade_assets.feeds.derived.declarations import GREEKS, POSITIONS
from trade_assets.feeds.derived.greeks import Reason
from trade_assets.ingest.isolation import Portion
from trade_assets.settings import Settings
from trade_assets_tests.feeds.stream.derived_files import (
    CALLS,
    FUTURE,
    SERIES,
    SOD,
    VTEXP,
    chain_bytes,
    chunk_key,
    keep,
    records_of,
    sod_bytes,
    sod_key,
    times_bytes,
    times_key,
    watched,
)
from trade_assets_tests.stores.samples import (
    FILLS,
    SPOT,
    ledger_bytes,
    ledger_key,
    spot_key,
)
from trade_assets_tests.support.stores import Stores

MINUTES_OF_A_DAY = 24 * 60


@pytest.fixture
def plain(provisioned: Settings) -> Iterator[Stores]:
    """Stores that no consumer works on."""
    with Stores(provisioned) as made:
        yield made


def greeks(stores: Stores, *files: tuple[str, bytes]) -> list[dict[str, Any]]:
    """Greeks of the chain in some files, as one batch."""
    records = pl.concat([records_of(key, data) for key, data in files])
    derived = Deriver(stores).compute(GREEKS, records)
    assert derived.schema == GREEKS.record_schema
    return derived.to_dicts()


def test_a_future_in_the_same_file_is_not_looked_up(plain: Stores) -> None:
    keep(plain, times_key(0), times_bytes(2.0))
    keep(plain, spot_key(0), chain_bytes(future=99.0))
    asked = watched(plain)
    rows = greeks(plain, (spot_key(0), chain_bytes(future=110.5)))
    assert asked.keys == {VTEXP.path: [SERIES]}
    assert [row["record_key"] for row in rows] == CALLS
    assert {row["future_price"] for row in rows} == {110.5 + 1 / 128}
    assert {row["days_to_expiry"] for row in rows} == {2.0}
    assert [row["reason"] for row in rows] == [None] * 3
    assert {(row["source"], row["feed"]) for row in rows} == {("derived", "greeks")}


def test_a_future_that_is_not_in_the_file_is_the_one_that_was_newest_then(plain: Stores) -> None:
    keep(plain, times_key(0), times_bytes(2.0))
    for seconds, future in ((1, 110.25), (9, 112.0)):
        keep(plain, spot_key(seconds), chain_bytes(future, calls=[]))
    asked = watched(plain)
    rows = greeks(plain, (chunk_key(5, 2), chain_bytes(future=None)))
    assert asked.keys == {SPOT.path: [FUTURE], VTEXP.path: [SERIES]}
    assert {row["future_price"] for row in rows} == {110.25 + 1 / 128}


def test_a_future_that_only_later_files_have_is_looked_up_for_the_first(plain: Stores) -> None:
    keep(plain, times_key(0), times_bytes(2.0))
    keep(plain, spot_key(1), chain_bytes(110.25, calls=[]))
    asked = watched(plain)
    first = spot_key(3), chain_bytes(future=None, calls=CALLS[:1])
    second = spot_key(4), chain_bytes(future=111.0, calls=CALLS[:1])
    rows = greeks(plain, first, second)
    assert asked.keys[SPOT.path] == [FUTURE]
    assert [row["future_price"] - 1 / 128 for row in rows] == [110.25, 111.0]


@pytest.mark.parametrize(
    ("minutes", "days"),
    [(-5, 3 - 5 / MINUTES_OF_A_DAY), (10, 2.0), (15, 2 - 5 / MINUTES_OF_A_DAY)],
    ids=["before", "with", "after"],
)
def test_a_file_is_derived_with_the_newest_time_to_expiry_of_its_moment(
    plain: Stores, minutes: int, days: float
) -> None:
    keep(plain, times_key(-10), times_bytes(3.0))
    keep(plain, times_key(10), times_bytes(2.0))
    (newest,) = plain.latest.read(VTEXP, [SERIES])
    assert newest["days_to_expiry"] == "2.0"
    rows = greeks(plain, (spot_key(minutes * 60), chain_bytes()))
    assert rows[0]["days_to_expiry"] == pytest.approx(days, abs=1e-12)


def test_without_a_time_to_expiry_there_are_reasons_instead(plain: Stores) -> None:
    rows = greeks(plain, (spot_key(0), chain_bytes()))
    assert [row["reason"] for row in rows] == [Reason.NO_TIME_TO_EXPIRY] * 3
    assert GREEKS.figures(pl.DataFrame(rows, schema=GREEKS.record_schema)) == {
        "options": 3, "solved": 0, "no_time_to_expiry": 3,
    }  # fmt: skip


@pytest.mark.parametrize("dataset", DERIVED.values(), ids=lambda dataset: dataset.name)
def test_nothing_is_derived_from_nothing(plain: Stores, dataset: Any) -> None:
    nothing = pl.DataFrame(schema=dataset.origin.record_schema)
    written = Deriver(plain).write(dataset, Portion(nothing), plain.latest, plain.history)
    assert (written.latest_changed, written.history_puts) == (0, 0)
    assert written.records.schema == dataset.record_schema
    assert written.records.is_empty()


def test_the_newest_picture_is_all_pieces_of_the_newest_time() -> None:
    pieces = [records_of(chunk_key(3, number), chain_bytes()) for number in (1, 2)]
    older = records_of(spot_key(1), chain_bytes())
    newest = newest_picture(SPOT, pl.concat([pieces[1], older, pieces[0]]))
    assert newest.sort("file_key").equals(pl.concat(pieces))
    trades = records_of(ledger_key(), ledger_bytes([111.0, 112.0]))
    assert newest_picture(FILLS, trades).equals(trades)


def test_positions_follow_a_ledger_that_is_rewritten_and_count_what_was_held(
    plain: Stores,
) -> None:
    keep(plain, sod_key(), sod_bytes(5, 110.0, day="2025-07-16"))
    keep(plain, sod_key(), sod_bytes(4, 110.5))
    keep(plain, sod_key(), sod_bytes(9, 110.75, day="2025-07-18"))
    found = []
    for prices in ([111.0], [111.25, 112.0], [111.25, 112.0]):
        trades = keep(plain, ledger_key(), ledger_bytes(prices))
        written = Deriver(plain).write(POSITIONS, Portion(trades), plain.latest, plain.history)
        (latest,) = plain.latest.read(POSITIONS, ["ZNU25"])
        (history,) = plain.history.read(POSITIONS, "ZNU25")
        assert float(history["position_quantity"]) == float(latest["position_quantity"])
        lots = [tuple(lot[:2]) for lot in orjson.loads(latest["lots"])]
        found.append((lots, latest["opening_source"], written.latest_changed, written.history_puts))
    first = [(4.0, 110.5), (1.0, 111.0)]
    grown = [(4.0, 110.5), (1.0, 111.25), (1.0, 112.0)]
    assert found == [(first, "sod", 1, 1), (grown, "sod", 1, 1), (grown, "sod", 0, 0)]
    assert latest["event_time"] == "2025-07-16T22:00:00.000000Z"


def test_what_was_held_of_another_instrument_is_a_position_too(plain: Stores) -> None:
    keep(plain, sod_key(), sod_bytes(7, 108.5, product="ZF"))
    trades = records_of(ledger_key(), ledger_bytes([111.0]))
    rows = Deriver(plain).compute(POSITIONS, trades).to_dicts()
    held = {row["product"]: (row["opening_quantity"], row["position_quantity"]) for row in rows}
    assert held == {"ZN": (0.0, 1.0), "ZF": (7.0, 7.0)}
    assert {row["file_key"] for row in rows} == {ledger_key()}


def test_every_derived_data_set_is_found_by_its_origin() -> None:
    found = [dataset for feed in FEEDS.values() for dataset in derived_from(feed)]
    assert found == list(DERIVED.values())
    assert (derived_from(SPOT), derived_from(FILLS), derived_from(SOD)) == (
        [GREEKS], [POSITIONS], [],
    )  # fmt: skip
