"""How long what is stored is kept, locally and on AWS."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from trade_assets.datasets.registry import all_datasets
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.expiry import kept_locally, line_expiry, record_expiry

LANDED = datetime(2026, 3, 1, 14, tzinfo=UTC)
EVENT = datetime(2020, 1, 2, tzinfo=UTC)
HOURS = 5
LOCAL = load_settings(local_history_hours=HOURS)
AWS = load_settings(profile="aws", local_history_hours=HOURS)
SPOT_RISK = all_datasets()["actant/spot_risk"]
SOD = all_datasets()["actant/sod"]


def _expiry(settings: Settings, file_key: str) -> datetime | None:
    expression = record_expiry(settings, SPOT_RISK)
    assert expression is not None
    frame = pl.DataFrame({"event_time": [EVENT], "file_key": [file_key]})
    second = frame.select(expression.alias("at"))["at"].item()
    return None if second is None else datetime.fromtimestamp(second, UTC)


@pytest.mark.parametrize("root", ["feeds/actant/spot_risk", "snapshots/tt/ext_prod_sim/orders"])
def test_locally_records_go_hours_after_the_hour_in_which_their_file_landed(root: str) -> None:
    key = f"{root}/dt=2026-03-01/hh=14/a.csv"
    assert _expiry(LOCAL, key) == LANDED + timedelta(hours=1 + HOURS)


def test_what_came_from_no_hour_stays() -> None:
    assert _expiry(LOCAL, "reference/calendar.csv") is None


def test_what_comes_daily_is_kept_until_it_would_be_stale() -> None:
    assert kept_locally(LOCAL, SPOT_RISK) == timedelta(hours=HOURS)
    assert kept_locally(LOCAL, SOD) == timedelta(days=4)


def test_a_line_outlives_every_file() -> None:
    expiry = line_expiry(LOCAL, LANDED)
    assert expiry is not None
    longest = max(kept_locally(LOCAL, item) or timedelta(0) for item in all_datasets().values())
    assert datetime.fromtimestamp(expiry, UTC) > LANDED + timedelta(hours=1) + longest


@pytest.mark.parametrize("settings", [AWS, load_settings(local_history_hours=0)])
def test_on_aws_and_without_a_limit_nothing_goes(settings: Settings) -> None:
    assert kept_locally(settings, SOD) is None
    assert record_expiry(settings, SPOT_RISK) is None
    assert line_expiry(settings, LANDED) is None


@pytest.mark.parametrize("settings", [AWS, LOCAL])
def test_days_that_a_setting_names_count_from_the_event_time(settings: Settings) -> None:
    named = settings.changed({"history_ttl_days": {"actant/spot_risk": 2}})
    key = "feeds/actant/spot_risk/dt=2026-03-01/hh=14/a.csv"
    # And for the hour in which a record may stand for later ones.
    assert _expiry(named, key) == EVENT + timedelta(days=2, hours=1)
