"""What a concept adds to the health of the platform: a section of `trade-assets status`.

The section of a concept stands in its module `health_section`, as a function of that name which
takes the settings; several are what a function `health_sections` gives. What it looks at, and what
of it is a problem, is its own matter; whether a store answers at all was found out before
(`store_checks`). No concept is named here.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import ModuleType
from typing import Any, Protocol

from trade_assets.concepts import concept_modules, concept_of, is_chosen
from trade_assets.settings import Settings


class StorePart(StrEnum):
    """The stores that are looked at, as people read them."""

    S3 = "S3"
    SQS = "SQS"
    DYNAMODB = "DynamoDB"
    REDIS = "Redis"


Look = Callable[[datetime], Any]
"""Looks into one store at a time (aware); whatever it raises is that store's problem."""


class SectionStatus(Protocol):
    """What was found of a concept."""

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong, in words; empty when healthy."""

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON, under names that no other section has."""


class HealthSection(Protocol):
    """What of a concept is looked at, again and again. One look at a time."""

    @property
    def looks(self) -> Mapping[StorePart, Look]:
        """What is looked at, by store. Those of S3, SQS and DynamoDB run in one thread."""

    @property
    def local_parts(self) -> Mapping[str, str]:
        """Programs that should listen on this machine in the local profile: names and URLs."""

    def status(self, now: datetime, found: Mapping[StorePart, Any]) -> SectionStatus:
        """The section of one look; `found` has no entry for a store that could not be read."""

    def close(self) -> None:
        """Give connections back."""


def find_sections(settings: Settings) -> tuple[HealthSection, ...]:
    """The sections of every chosen concept that has any, in the order of the concepts' names."""
    only = settings.platform.only
    return tuple(
        section
        for module in concept_modules("health_section")
        if is_chosen(concept_of(module), only)
        for section in _sections(module, settings)
    )


def _sections(module: ModuleType, settings: Settings) -> tuple[HealthSection, ...]:
    if hasattr(module, "health_sections"):
        found: tuple[HealthSection, ...] = module.health_sections(settings)
        return found
    return (module.health_section(settings),)
