"""Which concepts there are, and which of them are chosen."""

import pytest

from trade_assets.concepts import concept_modules, concept_of, footprints, is_chosen
from trade_assets.definitions import build_definitions
from trade_assets.defs.shared.names import BUCKET_SENSOR, SLOT_SENSOR
from trade_assets.errors import SettingsError
from trade_assets.local.stack import BASE_MEMORY_MB, memory_mb, port_needs
from trade_assets.monitor.sections import find_sections
from trade_assets.settings import load_settings


def test_every_concept_with_data_sets_states_its_memory() -> None:
    with_data = {concept_of(module) for module in concept_modules("datasets")}
    assert with_data <= footprints().keys()
    assert all(item.memory_mb > 0 for item in footprints().values())


def test_all_are_chosen_unless_some_are_named() -> None:
    assert is_chosen("feeds", "")
    assert is_chosen("feeds", "tt, feeds")
    assert not is_chosen("feeds", "tt")
    assert is_chosen("maintenance", "tt")


def test_the_whole_core_fits_in_two_gigabytes() -> None:
    assert memory_mb(load_settings(only="feeds,tt")) <= 2_000
    alone = BASE_MEMORY_MB + footprints()["tt"].memory_mb
    assert memory_mb(load_settings(only="tt")) == alone


def test_what_is_no_concept_is_named_with_those_there_are() -> None:
    settings = load_settings(only="feeds,fish")
    for use in (memory_mb, find_sections, lambda item: build_definitions(settings=item)):
        with pytest.raises(SettingsError, match=r"no concept fish; there are feeds, tt"):
            use(settings)


@pytest.mark.parametrize(("only", "gone"), [("feeds", "tt"), ("tt", "feeds")])
def test_what_is_left_out_is_in_no_definitions_no_status_and_no_port(only: str, gone: str) -> None:
    settings = load_settings(only=only)
    repository = build_definitions(settings=settings).get_repository_def()
    own = {"feeds": BUCKET_SENSOR, "tt": SLOT_SENSOR}
    sensors = {sensor.name for sensor in repository.sensor_defs}
    assert sensors & {*own.values()} == {own[only]}
    modules = {type(section).__module__.split(".")[1] for section in find_sections(settings)}
    assert gone not in modules
    assert {only, "ingest", "monitor"} <= modules
    ports = [need.port for need in port_needs(settings, simulator=True)]
    assert (settings.local.tt_simulator_port in ports) == (only == "tt")
