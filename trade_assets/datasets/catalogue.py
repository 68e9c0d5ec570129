"""The registry as a file of texts, for whoever only reads: `latest` would spend a second importing
what parses and computes, to show one table.

``python -m trade_assets.datasets.catalogue`` writes it anew; a test says when that is due.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from trade_assets.datasets.described import ColumnKind, Described, named

FILE: Final = Path(__file__).with_suffix(".json")

_TEXTS: Final = ("source", "name", "title", "record_key_is", "event_time_is")
_FLAGS: Final = ("rewritten", "replaced")


@dataclass(frozen=True, kw_only=True)
class Entry(Described):
    """A data set of the catalogue."""

    kinds_by_column: Mapping[str, ColumnKind]

    @property
    def column_kinds(self) -> Mapping[str, ColumnKind]:
        """As `Described`."""
        return self.kinds_by_column


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Entry]:
    """Every data set of the registry by path, in its order."""
    entries = (_entry(item) for item in orjson.loads(FILE.read_bytes()))
    return {entry.path: entry for entry in entries}


def entry_named(name: str) -> Entry:
    """The data set of a path, or of a bare name that only one source has.

    Raises:
        UnknownFeedError: listing the data sets that exist, or those that the name may mean.
    """
    return named(catalogue(), name)


def catalogue_bytes() -> bytes:
    """What the file has to hold, from the registry."""
    from trade_assets.datasets.registry import all_datasets

    items = [_item(dataset) for dataset in all_datasets().values()]
    return orjson.dumps(items, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _item(dataset: Described) -> dict[str, Any]:
    item: dict[str, Any] = {name: getattr(dataset, name) for name in (*_TEXTS, *_FLAGS)}
    return item | {
        "ids": sorted(dataset.ids),
        "columns": dict(dataset.columns),
        "kinds": {name: kind.value for name, kind in dataset.column_kinds.items()},
    }


def _entry(item: Mapping[str, Any]) -> Entry:
    return Entry(
        **{name: item[name] for name in (*_TEXTS, *_FLAGS)},
        ids=frozenset(item["ids"]),
        columns=item["columns"],
        kinds_by_column={name: ColumnKind(kind) for name, kind in item["kinds"].items()},
    )


if __name__ == "__main__":
    FILE.write_bytes(catalogue_bytes())
