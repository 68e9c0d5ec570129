"""The records of hour partitions, as assets hand them to the IO managers."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Dataset
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.figures import Figures
from trade_assets.ingest.isolation import Portion

LISTED: Final = 10
"""Most files that an error names."""


@dataclass(frozen=True)
class WholeSet:
    """A replaced set as one file had it: all its records, none if the set is empty."""

    event_time: datetime
    file_key: str
    records: pl.DataFrame


class HourRecords(ABC):
    """Records of a data set by hour, bit by bit and read anew each time: an hour of any size is
    never in memory as a whole."""

    @property
    @abstractmethod
    def dataset(self) -> Dataset:
        """Whose records they are."""

    @property
    @abstractmethod
    def figures(self) -> Figures:
        """Figures of the hours, to which the writing adds its own."""

    @abstractmethod
    def frames(self) -> Iterator[pl.DataFrame]:
        """All records, some at a time: what `latest` is offered of a set that grows."""

    def history_frames(self) -> Iterator[pl.DataFrame]:
        """Those of the records that the history holds."""
        return self.frames()

    def portions(self) -> Iterator[Portion]:
        """`frames`, with what of them states."""
        return map(Portion, self.frames())

    def history_portions(self) -> Iterator[Portion]:
        """`history_frames`, with what of them states."""
        return map(Portion, self.history_frames())

    def newest_set(self) -> WholeSet | None:
        """Of a replaced data set the newest picture: all that Redis can hold of the hours."""
        return None

    def note_unchanged(self, unchanged: Mapping[str, int]) -> None:
        """Note for how many rows of files, by their keys, the history has earlier ones."""
        self.figures.rows_unchanged += sum(unchanged.values())

    @abstractmethod
    def refuse(self, refused: Mapping[str, StoreRejectedError]) -> None:
        """Note that a store refuses files, by their keys; the others go on."""


def raise_failed(failures: Mapping[str, str]) -> None:
    """End a rerun whose files are not all in the stores, when the others are.

    Args:
        failures: why a file is not, by its key.

    Raises:
        StoreRejectedError: naming the files; not if there are none.
    """
    if failures:
        listed = "; ".join(f"{key}: {reason}" for key, reason in list(failures.items())[:LISTED])
        raise StoreRejectedError(f"{len(failures)} files could not be ingested: {listed}")


HourOpener = Callable[[Sequence[str]], HourRecords]
"""The records of hour partitions by their keys (`datasets.keys.PARTITION_FORMAT`)."""
