"""Which concepts there are: found by their folders, so that adding one touches no list anywhere.

A concept is a package beside this file. What of it others must know stands in modules of agreed
names, each optional: `datasets` (the data sets it has), `health_section` (what `status` shows of
it), `resources` (what it needs on AWS). They are found as Dagster finds `defs/`: by looking, in
what concepts share too, which needs a bucket as well.
"""

import importlib
import pkgutil
from functools import lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Final

PACKAGE: Final = "trade_assets"


@lru_cache(maxsize=16)
def concept_modules(name: str) -> tuple[ModuleType, ...]:
    """The modules of this name of all concepts that have one, by concept in alphabetical order."""
    root = importlib.import_module(PACKAGE)
    concepts = sorted(item.name for item in pkgutil.iter_modules(root.__path__) if item.ispkg)
    places = [f"{PACKAGE}.{concept}.{name}" for concept in concepts]
    return tuple(importlib.import_module(place) for place in places if find_spec(place))
