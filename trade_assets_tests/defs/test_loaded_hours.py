"""Where partitions begin: with the first hour that has data, whoever can or cannot say it."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from trade_assets.definitions import build_definitions
from trade_assets.defs.shared import loaded_hours
from trade_assets.defs.shared.loaded_hours import EARLIEST, LoadedHours, load_hours
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings, load_settings
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

NOW = datetime(2026, 3, 2, 14, 25, 7, tzinfo=UTC)
THIS_HOUR = NOW.replace(minute=0, second=0)


@pytest.fixture
def settings(local_parts: LocalParts, tmp_path: Path) -> Settings:
    """A platform that begins with its data, not by a setting."""
    made = local_parts.settings(tmp_path / "home", partitions_start=None)
    provision(made)
    return made


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is there is waited for."""
    monkeypatch.setattr(loaded_hours, "LOOK_SECONDS", PATIENCE_SECONDS)


@pytest.mark.integration
def test_they_begin_with_this_hour_where_nothing_was_ever_stored(settings: Settings) -> None:
    assert load_hours(settings, NOW) == LoadedHours(THIS_HOUR)


@pytest.mark.integration
def test_they_begin_with_the_first_hour_that_has_data_and_only_move_back(
    settings: Settings,
) -> None:
    mark = Stores(settings).first_hour
    for hours_ago, first in ((2, 2), (1, 2), (30, 30)):
        mark.note(THIS_HOUR - timedelta(hours=hours_ago))
        assert load_hours(settings, NOW).first == THIS_HOUR - timedelta(hours=first)


@pytest.mark.integration
def test_every_asset_by_hour_begins_there(settings: Settings) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)
    Stores(settings).first_hour.note(hour)
    for spec in build_definitions(settings=settings).resolve_all_asset_specs():
        if isinstance(spec.partitions_def, dg.TimeWindowPartitionsDefinition):
            assert len(spec.partitions_def.get_partition_keys()) in (4, 5), spec.key


def test_a_setting_is_asked_before_any_store() -> None:
    settings = load_settings(partitions_start="2025-06-01-10:00")
    assert load_hours(settings) == LoadedHours(datetime(2025, 6, 1, 10, tzinfo=UTC))


def test_where_no_store_answers_they_begin_with_the_earliest_hour_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loaded_hours, "LOOK_SECONDS", 0.2)
    with socket.create_server((LOOPBACK, 0)) as silent:
        settings = load_settings(aws_endpoint_url=f"http://{LOOPBACK}:{silent.getsockname()[1]}")
        assert load_hours(settings) == LoadedHours(EARLIEST, certain=False)


def test_where_there_are_no_credentials_they_begin_with_the_earliest_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    settings = load_settings(profile="aws")
    assert load_hours(settings) == LoadedHours(EARLIEST, certain=False)


def test_what_is_loaded_lacks_older_data_only() -> None:
    loaded = LoadedHours(THIS_HOUR)
    assert loaded.lacks(THIS_HOUR - timedelta(hours=1))
    assert not loaded.lacks(THIS_HOUR)
    assert not loaded.lacks(THIS_HOUR + timedelta(hours=1))
    assert not loaded.lacks(None)
    assert LoadedHours(EARLIEST, certain=False).lacks(THIS_HOUR)
