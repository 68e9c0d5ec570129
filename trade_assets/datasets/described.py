"""What is to be known of a data set to name it and to show its records: texts, no types of Polars.

How its records are made, and of what types they are, is `dataset`'s; which there are, the
`registry`'s and, for whoever only reads, the `catalogue`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from trade_assets.errors import UnknownFeedError


class ColumnKind(StrEnum):
    """What a value is when it is read back; all others are texts."""

    NUMBER = "number"
    FLAG = "flag"
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Described:
    """A data set, for people and for readers.

    Attributes:
        source: system the records come from, first part of their keys.
        name: second part of their keys.
        title: what it is, for people.
        columns: what each of its own columns is, for people, the most important first: the order in
            which they get room where there is not enough for all.
        record_key_is: what a record key is, for people.
        event_time_is: where the event time comes from, for people.
        ids: columns of ids that nobody reads, which tables shorten.
        rewritten: the same file name is written again with other content; then the version of
            the latest hour, and in it the newest version of the key, wins.
        replaced: every file is the whole set: a record key that is not in the newest is gone.
    """

    source: str
    name: str
    title: str
    columns: Mapping[str, str]
    record_key_is: str
    event_time_is: str
    ids: frozenset[str] = frozenset()
    rewritten: bool = False
    replaced: bool = False

    @property
    def path(self) -> str:
        """`<source>/<name>`: how people and settings name the data set."""
        return f"{self.source}/{self.name}"

    @property
    def column_kinds(self) -> Mapping[str, ColumnKind]:
        """Every column of a stored record, in order, and what its values are."""
        raise NotImplementedError


D = TypeVar("D", bound=Described)


def named(datasets: Mapping[str, D], name: str) -> D:
    """The data set of a path (`actant/spot_risk`) or of a bare name that only one source has.

    Raises:
        UnknownFeedError: listing the data sets that exist, or those that the name may mean.
    """
    matches = [dataset for path, dataset in datasets.items() if name in (path, dataset.name)]
    if len(matches) > 1:
        paths = ", ".join(sorted(dataset.path for dataset in matches))
        raise UnknownFeedError(f"{name!r} may be any of {paths}; give the whole path")
    if not matches:
        raise UnknownFeedError(f"no feed {name!r}; there are {', '.join(sorted(datasets))}")
    return matches[0]
