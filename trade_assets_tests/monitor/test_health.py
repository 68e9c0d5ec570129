"""The health is what its sections say, in their order; the sections are found by concept."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from trade_assets.feeds.health_section import FeedsSection
from trade_assets.ingest.health_section import KeptSection
from trade_assets.ingest.redis_life_section import RedisLifeSection
from trade_assets.monitor.health import Health
from trade_assets.monitor.health_section import GivenUpSection
from trade_assets.monitor.part_status import PartStatus
from trade_assets.monitor.sections import find_sections
from trade_assets.settings import load_settings
from trade_assets.tt.health_section import TtSection

NOW = datetime(2025, 7, 17, 15, tzinfo=UTC)


@dataclass(frozen=True)
class Fruit:
    """A section."""

    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"fruit": 1, "apples": list(self.problems)}


@dataclass(frozen=True)
class Vegetables:
    """Another one."""

    problems: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"vegetables": 2}


def health(*sections: Any, parts: tuple[PartStatus, ...] = ()) -> Health:
    return Health(NOW, "local", "trade-assets", parts, sections)


def test_problems_are_those_of_the_parts_and_then_of_the_sections() -> None:
    away = PartStatus("S3", "there", reachable=False, problem="nothing answers")
    fine = PartStatus("Redis", "here", reachable=True)
    found = health(Fruit(("rotten",)), Vegetables(("raw", "cold")), parts=(away, fine))
    assert found.problems == ("S3: nothing answers", "rotten", "raw", "cold")
    assert found.as_dict()["healthy"] is False
    assert health(Fruit(), parts=(fine,)).as_dict()["healthy"] is True


def test_json_has_the_sections_side_by_side_behind_the_parts() -> None:
    seen = health(Fruit(("rotten",)), Vegetables()).as_dict()
    head = ["healthy", "problems", "time", "profile", "namespace", "parts"]
    assert list(seen) == [*head, "fruit", "apples", "vegetables"]
    assert seen["apples"] == ["rotten"]


def test_a_section_is_asked_for_by_its_type() -> None:
    assert health(Fruit(), Vegetables(("raw",))).section(Vegetables).problems == ("raw",)
    with pytest.raises(LookupError, match="Vegetables"):
        health(Fruit()).section(Vegetables)


def test_every_concept_brings_its_own_section() -> None:
    sections = find_sections(load_settings())
    assert [type(section) for section in sections] == [
        FeedsSection,
        KeptSection,
        RedisLifeSection,
        GivenUpSection,
        TtSection,
    ]
