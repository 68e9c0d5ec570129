"""The grammar of keys: built and taken apart."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.keys import (
    feed_file_key,
    feed_prefix,
    hour_prefix,
    parse_feed_key,
    partition_hour,
)
from trade_assets.errors import UnknownFeedError
from trade_assets.feeds.datasets import FEEDS
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.trade_ledger import FILLS


def test_key_of_a_file() -> None:
    pushed_at = datetime(2025, 7, 17, 23, 59, 59, tzinfo=timezone(timedelta(hours=-5)))
    assert (
        feed_file_key(FILLS, "trades_20250718.csv", pushed_at)
        == "feeds/tt/fills/dt=2025-07-18/hh=04/trades_20250718.csv"
    )


@given(
    st.sampled_from(sorted(FEEDS)),
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1),
)
def test_keys_come_apart_as_they_were_put_together(
    path: str, pushed_at: datetime, file_name: str
) -> None:
    feed = FEEDS[path]
    found = parse_feed_key(feed_file_key(feed, file_name, pushed_at))
    hour = pushed_at.replace(minute=0, second=0, microsecond=0)
    assert (found.feed, found.hour, found.file_name) == (feed, hour, file_name)
    assert found.key.startswith(hour_prefix(feed, pushed_at))
    assert hour_prefix(feed, pushed_at).startswith(feed_prefix(feed))
    assert partition_hour(found.partition) == hour


def test_keys_sort_by_hour() -> None:
    hours = [datetime(2025, 7, 17, 9, tzinfo=UTC) + timedelta(hours=n) for n in range(200)]
    prefixes = [hour_prefix(SPOT_RISK, hour) for hour in hours]
    assert prefixes == sorted(prefixes)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "feeds/actant/spot_risk/x.csv",
        "feeds/actant/spot_risk/dt=2025-07-17/hh=19/",
        "feeds/actant/spot_risk/dt=2025-07-17/hh=19/folder/x.csv",
        "feeds/actant/spot_risk/dt=2025-02-30/hh=19/x.csv",
        "feeds/actant/spot_risk/dt=2025-07-17/hh=24/x.csv",
        "feeds/actant/spot_risk/dt=\u0662025-07-17/hh=19/x.csv",
        "feeds/actant/spot_risk/dt=2025-07-17/hh=\uff119/x.csv",
        "feeds/actant/nothing/dt=2025-07-17/hh=19/x.csv",
        "quarantine/feeds/actant/spot_risk/dt=2025-07-17/hh=19/x.csv",
        "snapshots/tt/live/orders/dt=2025-07-17/hh=19/20250717T190000Z.json",
    ],
)
def test_other_keys_are_nobodys(key: str) -> None:
    with pytest.raises(UnknownFeedError):
        parse_feed_key(key)
