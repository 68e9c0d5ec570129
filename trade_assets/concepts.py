"""Which concepts there are: found by their folders, so that adding one touches no list anywhere.

A concept is a package beside this file. What of it others must know stands in modules of agreed
names, each optional: `datasets` (the data sets it has), `health_section` (what `status` shows of
it), `resources` (what it needs on AWS), `footprint` (what it needs of a laptop; who has one can be
left out of the local stack), `rebuilders` (what puts back what Redis had of it). They are found as
Dagster finds `defs/`: by looking, in what concepts share too, which needs a bucket as well.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from trade_assets.errors import SettingsError

PACKAGE: Final = "trade_assets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a concept adds to the local stack.

    Attributes:
        memory_mb: what its programs and runs take together, measured; of what several processes
            share each counts its part.
    """

    memory_mb: int


@lru_cache(maxsize=16)
def concept_modules(name: str) -> tuple[ModuleType, ...]:
    """The modules of this name of all concepts that have one, by concept in alphabetical order."""
    root = importlib.import_module(PACKAGE)
    concepts = sorted(item.name for item in pkgutil.iter_modules(root.__path__) if item.ispkg)
    places = [f"{PACKAGE}.{concept}.{name}" for concept in concepts]
    return tuple(importlib.import_module(place) for place in places if find_spec(place))


def concept_of(module: ModuleType) -> str:
    """The concept to which a module of `concept_modules` belongs."""
    return module.__name__.split(".")[1]


def footprints() -> Mapping[str, Footprint]:
    """The concepts that the local stack can do without, by name."""
    return {concept_of(item): item.FOOTPRINT for item in concept_modules("footprint")}


def is_chosen(concept: str, only: str) -> bool:
    """Whether a concept is one of `only` (names parted by commas; empty: all), or one that nobody
    can do without.

    Raises:
        SettingsError: `only` names what is no concept; says which there are.
    """
    known = footprints()
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = sorted(set(names) - known.keys())
    if unknown:
        raise SettingsError(
            f"settings: only: no concept {', '.join(unknown)}; there are {', '.join(known)}"
        )
    return not names or concept in names or concept not in known
