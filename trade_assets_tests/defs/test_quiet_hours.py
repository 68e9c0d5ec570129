"""Hours in which nothing had to land do not look missing; those that lack something do."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from trade_assets.datasets.keys import PARTITION_FORMAT, feed_file_key
from trade_assets.defs.feeds import definitions as feeds
from trade_assets.defs.shared.concept import HourAssets, Platform
from trade_assets.defs.shared.loaded_hours import LoadedHours
from trade_assets.defs.shared.quiet_hours import (
    LOOKED_BACK,
    OVER_AFTER,
    next_hour,
    quiet_assets,
    quiet_hours_sensor,
    report_quiet,
)
from trade_assets.defs.tt import definitions as tt
from trade_assets.feeds.datasets import FEEDS
from trade_assets.settings import Settings
from trade_assets_tests.support.stores import Stores

HOUR = timedelta(hours=1)
START = datetime(2025, 7, 17, 19, tzinfo=UTC)
"""A Thursday afternoon in Chicago: the market is open."""
SATURDAY = datetime(2025, 7, 19, 12, tzinfo=UTC)
EOD, SPOT = dg.AssetKey(["actant", "eod", "latest"]), dg.AssetKey(["actant", "spot_risk", "files"])
PREFIXES = {
    "feeds/actant/eod/": HourAssets([EOD], lambda _: False),
    "feeds/actant/spot_risk/": HourAssets([SPOT], lambda hour: hour == START),
}


@pytest.fixture
def stores(provisioned: Settings) -> Iterator[Stores]:
    with Stores(provisioned) as made:
        yield made


@pytest.mark.parametrize(
    ("looked_at", "minutes", "expected"),
    [
        pytest.param("", 65, START, id="the first hour is over"),
        pytest.param("", 64, None, id="not long enough"),
        pytest.param("2025-07-17-19:00", 65, None, id="looked at"),
        pytest.param("2025-07-17-19:00", 125, START + HOUR, id="the next one"),
        pytest.param("2025-07-17-16:00", 300, START, id="before the first partition"),
    ],
)
def test_hours_come_one_after_the_other(
    looked_at: str, minutes: int, expected: datetime | None
) -> None:
    assert next_hour(looked_at, START, START + timedelta(minutes=minutes)) == expected


def test_what_lies_far_back_is_left() -> None:
    now = START + timedelta(days=30) + OVER_AFTER
    assert next_hour("", START, now) == now - OVER_AFTER - HOUR - LOOKED_BACK


def test_an_hour_is_quiet_where_nothing_was_due_and_nothing_is_there(stores: Stores) -> None:
    assert quiet_assets(stores.objects, PREFIXES, START) == [EOD]
    assert quiet_assets(stores.objects, PREFIXES, START + HOUR) == [EOD, SPOT]
    stores.objects.put(feed_file_key(FEEDS["actant/eod"], "GE_XCME.ZN_20250717.json", START), b"{}")
    assert quiet_assets(stores.objects, PREFIXES, START) == []


def test_what_was_materialised_is_not_reported_again() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        partition = "2025-07-17-19:00"
        instance.report_runless_asset_event(dg.AssetMaterialization(EOD, partition=partition))
        assert report_quiet(instance, [EOD, SPOT], partition) == 1
        assert report_quiet(instance, [EOD, SPOT], partition) == 0
        (event,) = instance.fetch_materializations(SPOT, limit=9).records
        found = event.asset_materialization
        assert found is not None
        assert found.partition == partition
        assert found.metadata["dagster/partition_row_count"].value == 0


def test_the_sensor_reports_an_hour_a_tick(stores: Stores) -> None:
    now = datetime.now(UTC) - OVER_AFTER
    first = now.replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    sensor = quiet_hours_sensor(stores.connections, LoadedHours(first), PREFIXES)
    cursor: str | None = None
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = sensor(context)
            assert isinstance(result, dg.SensorResult)
            cursor = result.cursor
        hours = {(first + number * HOUR).strftime(PARTITION_FORMAT) for number in range(2)}
        assert hours <= instance.get_materialized_partitions(EOD)


@pytest.fixture
def prefixes(stores: Stores) -> dict[str, HourAssets]:
    """Those of the feeds and of the snapshots."""
    connections = stores.connections
    settings = stores.settings.changed({"tt_market_hours": ["globex"]})
    platform = Platform(settings, connections, connections, connections, LoadedHours(START))
    return {**feeds.build(platform).prefixes, **tt.build(platform).prefixes}


LIVE = ("actant/spot_risk/history", "derived/greeks/latest", "tt/orders/raw", "tt/slots/hour")
DAILY = ("actant/eod/files", "actant/sod/latest", "tt/fills/history", "derived/positions/latest")


def test_while_the_market_is_open_what_is_live_is_due(
    stores: Stores, prefixes: dict[str, HourAssets]
) -> None:
    found = {key.to_user_string() for key in quiet_assets(stores.objects, prefixes, START)}
    assert set(DAILY) - found == set()
    assert found.isdisjoint(LIVE)


def test_on_a_saturday_nothing_is_due(stores: Stores, prefixes: dict[str, HourAssets]) -> None:
    found = {key.to_user_string() for key in quiet_assets(stores.objects, prefixes, SATURDAY)}
    assert {*DAILY, *LIVE} - found == set()
