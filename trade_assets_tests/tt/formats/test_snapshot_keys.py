"""The grammar of raw snapshots' keys."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.keys import partition_hour
from trade_assets.errors import UnknownFeedError
from trade_assets.tt.datasets import SNAPSHOTS, SNAPSHOTS_BY_KIND
from trade_assets.tt.formats.slot_times import hour_slots, slot_at
from trade_assets.tt.formats.snapshot_keys import (
    parse_snapshot_key,
    snapshot_hour_prefix,
    snapshot_key,
    snapshot_prefix,
)

SLOTS = st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    slot_at
)
START = datetime(2025, 5, 15, 17, 2, 30, tzinfo=UTC)


def test_a_key() -> None:
    local = START.astimezone(timezone(timedelta(hours=-5)))
    assert (
        snapshot_key("ext_prod_sim", "fills", local)
        == "snapshots/tt/ext_prod_sim/fills/dt=2025-05-15/hh=17/20250515T170230Z.json"
    )


@given(
    st.sampled_from(sorted(SNAPSHOTS_BY_KIND)),
    SLOTS,
    st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1),
)
def test_keys_come_apart_as_they_were_put_together(
    kind: str, slot: datetime, environment: str
) -> None:
    found = parse_snapshot_key(snapshot_key(environment, kind, slot))
    assert (found.environment, found.snapshot.kind, found.slot) == (environment, kind, slot)
    assert found.key.startswith(snapshot_hour_prefix(environment, kind, slot))
    assert found.key.startswith(snapshot_prefix(environment, kind))
    assert slot in hour_slots(partition_hour(found.partition))


@given(SLOTS, SLOTS)
def test_keys_sort_as_their_slots(one: datetime, other: datetime) -> None:
    keys = [snapshot_key("live", "orders", slot) for slot in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)


GOOD = "snapshots/tt/live/orders/dt=2025-07-17/hh=19/20250717T190030Z.json"


@pytest.mark.parametrize(
    "key",
    [
        "",
        GOOD.replace("orders", "tt_fills"),
        GOOD.replace("orders", "prices"),
        GOOD.replace("/tt/", "/other/"),
        GOOD.replace("live/", ""),
        GOOD.replace("hh=19", "hh=18"),
        GOOD.replace("dt=2025-07-17", "dt=2025-07-18"),
        GOOD.replace("hh=19", "hh=\uff11\uff19"),
        GOOD.replace("190030", "190031"),
        GOOD.replace("20250717T", "20250732T"),
        GOOD.replace("20250717T190030", "\u0662\u0660250717T190030"),
        GOOD.replace(".json", ".json.gz"),
        GOOD + "\n",
        f"quarantine/{GOOD}",
        "feeds/tt/fills/dt=2025-07-17/hh=19/trades_20250717.csv",
    ],
)
def test_other_keys_are_nobodys(key: str) -> None:
    assert parse_snapshot_key(GOOD).snapshot is SNAPSHOTS["tt/orders"]
    with pytest.raises(UnknownFeedError):
        parse_snapshot_key(key)
