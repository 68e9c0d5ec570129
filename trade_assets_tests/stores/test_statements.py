"""Statements in both stores: what the newest version does not say is gone from `latest`, closed in
the history from the moment of the version that dropped it, and in any order the same."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, permutations
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from trade_assets.feeds.datasets import FEEDS
from trade_assets.ingest.former_records import restore_former
from trade_assets.settings import Settings
from trade_assets.stores.dynamodb import statement_index
from trade_assets.stores.redis.latest_store import LatestWritten
from trade_assets_tests.stores.samples import (
    FILLS,
    HOUR,
    history_items,
    items,
    raw_redis,
    records,
    redis_records,
)
from trade_assets_tests.support.stores import Stores

PRICES = FEEDS["actant/futures_settlement"]
SOD = FEEDS["actant/sod"]
TRADED = HOUR - timedelta(hours=6)
ledgers = count(1)


@dataclass(frozen=True)
class Version:
    """A ledger as it landed some hours and minutes on: prices by trade."""

    hour: int
    minute: int
    prices: dict[str, float]

    @property
    def landed_at(self) -> datetime:
        return HOUR + timedelta(hours=self.hour, minutes=self.minute)


def ledger(name: str, version: Version) -> str:
    return f"feeds/tt/fills/{HOUR + timedelta(hours=version.hour):dt=%Y-%m-%d/hh=%H}/{name}"


def rows(key: str, prices: dict[str, float], prefix: str = "") -> pl.DataFrame:
    return records(
        FILLS,
        (
            {"record_key": prefix + trade, "event_time": TRADED, "file_key": key, "price": price}
            for trade, price in prices.items()
        ),
    )


def put(stores: Stores, name: str, version: Version, prefix: str = "") -> LatestWritten:
    """Write a version into both stores, as the stream does."""
    key = ledger(name, version)
    frame = rows(key, version.prices, prefix)
    stated = {key: version.landed_at}
    written = stores.latest.write(FILLS, frame, stated)
    dropped = stores.history.write(FILLS, frame, stated).dropped
    restore_former(stores, FILLS, dropped)
    return written


def held(stores: Stores, prefix: str) -> dict[str, float]:
    keys = [key for key in stores.latest.record_keys(FILLS) if key.startswith(prefix)]
    found = stores.latest.read(FILLS, keys)
    assert [row["record_key"] for row in found] == keys
    return {row["record_key"].removeprefix(prefix): float(row["price"]) for row in found}


def kept(stores: Stores, prefix: str, until: datetime | None = None) -> dict[str, float]:
    found = {}
    for trade in "abc":
        for row in stores.history.read(FILLS, prefix + trade, until=until, limit=1):
            found[trade] = float(row["price"])
    return found


@pytest.fixture(scope="module")
def stores(module_settings: Settings) -> Iterator[Stores]:
    with Stores(module_settings) as made:
        yield made


VERSIONS = st.lists(
    st.builds(
        Version,
        st.integers(0, 2),
        st.integers(0, 3),
        st.dictionaries(st.sampled_from("abc"), st.sampled_from([1.0, 2.0]), max_size=3),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda version: (version.hour, version.minute),
)


@given(VERSIONS, st.randoms(use_true_random=False), st.integers(0, 3))
@examples(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_any_order_and_again_both_stores_end_with_what_the_newest_version_says(
    stores: Stores, versions: list[Version], random: Any, again: int
) -> None:
    number = next(ledgers)
    name, prefix = f"trades_2025{number % 12 + 1:02}{number % 28 + 1:02}.csv", f"{number}-"
    shuffled = [*versions, *versions[:again]]
    random.shuffle(shuffled)
    for version in shuffled:
        put(stores, name, version, prefix)
    ordered = sorted(versions, key=lambda version: version.landed_at)
    assert held(stores, prefix) == ordered[-1].prices
    assert kept(stores, prefix) == ordered[-1].prices
    for at, version in enumerate(ordered):
        found = kept(stores, prefix, version.landed_at + timedelta(seconds=1))
        dropped = {trade for earlier in ordered[:at] for trade in earlier.prices}
        assert found.keys() >= version.prices.keys()
        assert not found.keys() & (dropped - version.prices.keys())


def test_a_mark_overwrites_nothing_and_has_the_time_of_the_version_that_dropped(
    stores: Stores,
) -> None:
    first, second = Version(0, 1, {"a": 1.0, "b": 2.0}), Version(1, 2, {"b": 2.0})
    put(stores, "trades_20240102.csv", first, "mark-")
    assert put(stores, "trades_20240102.csv", second, "mark-").gone == 1
    found = [
        item["sk"]["S"]
        for item in history_items(stores.settings)
        if item["pk"]["S"] == "tt#fills#mark-a"
    ]
    assert found == [
        "2025-07-17T13:00:00.000000Z#trades_20240102.csv",
        "2025-07-17T20:02:00.000000Z#trades_20240102.csv#gone",
    ]
    assert kept(stores, "mark-", second.landed_at).keys() == {"a", "b"}
    assert kept(stores, "mark-", second.landed_at + timedelta(microseconds=1)) == {"b": 2.0}
    newest_last = stores.history.read(FILLS, "mark-a", newest_first=False)
    assert list(newest_last) == []


def test_who_reads_live_is_told_of_what_is_gone(stores: Stores) -> None:
    put(stores, "trades_20240103.csv", Version(0, 1, {"a": 1.0}), "told-")
    put(stores, "trades_20240103.csv", Version(0, 2, {}), "told-")
    with raw_redis(stores.settings) as client:
        ((_, last),) = client.xrevrange("updates:tt:fills", count=1)
    assert (last["record_keys"], last["count"]) == ('["told-a"]', "1")


def test_a_late_older_hour_revives_nothing(stores: Stores) -> None:
    put(stores, "trades_20240104.csv", Version(1, 0, {"b": 2.0}), "late-")
    late = put(stores, "trades_20240104.csv", Version(0, 5, {"a": 1.0, "b": 1.0}), "late-")
    assert (late.changed, held(stores, "late-")) == (0, {"b": 2.0})
    assert kept(stores, "late-") == {"b": 2.0}


def test_a_trade_of_two_ledgers_stays_while_one_of_them_has_it(stores: Stores) -> None:
    put(stores, "trades_20240105.csv", Version(0, 1, {"a": 1.0}), "two-")
    put(stores, "trades_20240106.csv", Version(1, 1, {"a": 3.0, "b": 3.0}), "two-")
    put(stores, "trades_20240106.csv", Version(1, 2, {"b": 3.0}), "two-")
    assert held(stores, "two-") == kept(stores, "two-") == {"a": 1.0, "b": 3.0}


def test_a_time_that_is_corrected_backwards_takes_the_place_of_the_later_one(
    stores: Stores,
) -> None:
    key, found = ledger("trades_20240107.csv", Version(0, 0, {})), []
    for at, traded in enumerate([TRADED, TRADED - timedelta(minutes=1)]):
        frame = rows(key, {"back-a": 1.0 + at}).with_columns(
            pl.lit(traded).cast(FILLS.record_schema["event_time"]).alias("event_time")
        )
        stated = {key: HOUR + timedelta(minutes=at)}
        stores.latest.write(FILLS, frame, stated)
        stores.history.write(FILLS, frame, stated)
        (latest,) = stores.latest.read(FILLS, ["back-a"])
        history = next(stores.history.read(FILLS, "back-a"))
        found.append((latest["price"], str(history["price"])))
    assert found == [("1.0", "1"), ("2.0", "2")]
    assert len(list(stores.history.read(FILLS, "back-a"))) == 1


def lots(stores: Stores, day: str, held: dict[str, float], *, stated: bool = True) -> None:
    key = f"feeds/actant/sod/dt={day}/hh=12/actant.csv"
    at = datetime.fromisoformat(f"{day}T22:00Z") - timedelta(days=1)
    frame = records(
        SOD,
        (
            {
                "record_key": lot, "event_time": at, "file_key": key, "quantity": quantity,
                "trading_date": at.date() + timedelta(days=1),
            }
            for lot, quantity in held.items()
        ),
    )  # fmt: skip
    stores.latest.write(SOD, frame, {key: at} if stated else {})


def test_what_is_held_today_is_all_that_is_held(provisioned: Settings) -> None:
    with Stores(provisioned) as stores:
        # By a release that knew no statements.
        lots(stores, "2025-07-16", {"old": 1.0, "same": 1.0}, stated=False)
        lots(stores, "2025-07-17", {"same": 2.0, "a": 3.0})
        assert stores.latest.record_keys(SOD) == ["a", "same"]
        lots(stores, "2025-07-18", {"b": 4.0})
        assert stores.latest.record_keys(SOD) == ["b"]
        lots(stores, "2025-07-17", {"same": 2.0, "late": 3.0})
        assert stores.latest.record_keys(SOD) == ["b"]


def settlement(stores: Stores, name: str, minute: int, prices: dict[str, float]) -> None:
    key = f"feeds/actant/futures_settlement/dt=2025-07-18/hh=21/{name}"
    at = datetime.strptime(name[8:21] + "+0000", "%Y%m%d_%H%M%z") + timedelta(hours=5)
    frame = records(
        PRICES,
        (
            {"record_key": symbol, "event_time": at, "file_key": key, "settlement_price": price}
            for symbol, price in prices.items()
        ),
    )
    stated = {key: datetime.fromisoformat("2025-07-18T21:00Z") + timedelta(minutes=minute)}
    stores.latest.write(PRICES, frame, stated)
    restore_former(stores, PRICES, stores.history.write(PRICES, frame, stated).dropped)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_corrected_settlement_without_a_row_gives_the_day_before_back(
    provisioned: Settings, order: Sequence[int]
) -> None:
    files = [
        ("Futures_20250717_1600.csv", 0, {"FV": 107.0, "TY": 110.0}),
        ("Futures_20250718_1600.csv", 1, {"FV": 108.0, "TY": 111.0}),
        ("Futures_20250718_1630.csv", 2, {"TY": 111.5}),
    ]
    with Stores(provisioned) as stores:
        for at in order:
            settlement(stores, *files[at])
        latest = stores.latest.read(PRICES, ["FV", "TY"])
        assert [row["settlement_price"] for row in latest] == ["107.0", "111.5"]
        history = [next(stores.history.read(PRICES, key)) for key in ("FV", "TY")]
        assert [str(row["settlement_price"]) for row in history] == ["107", "111.5"]
        assert len(redis_records(provisioned, PRICES)) == 3


def test_a_scope_of_any_size_is_kept_whole(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_index, "_PART_BYTES", 500)
    many = {hashlib.sha256(b"%d" % number).hexdigest(): 1.0 for number in range(100)}
    for minute, listed in enumerate([many, dict(list(many.items())[1:]), {}, many]):
        put(stores, "trades_20240108.csv", Version(0, minute, listed), "many-")
        ((_, timeline),) = stores.history.statements.of_day(FILLS, "2024-01-08")
        assert timeline.holds().keys() == {f"many-{key}" for key in listed}
    parts = [
        item
        for item in items(stores.settings, stores.settings.history_table)
        if item["pk"]["S"] == "#statement#tt/fills#2024-01-08#parts"
    ]
    assert {item["sk"]["S"].split("#")[1] for item in parts} == {"4"}
