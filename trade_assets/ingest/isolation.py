"""Isolating what a store refuses: written together while all goes well, else file by file."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from trade_assets.datasets.records import FILE_KEY
from trade_assets.datasets.statements import StatedAt
from trade_assets.errors import StoreRejectedError
from trade_assets.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Portion:
    """Records that are written together, whole files; `stated` says of those of them that are
    statements, rows or none, when each was written."""

    records: pl.DataFrame
    stated: StatedAt = field(default_factory=dict)

    @property
    def file_keys(self) -> list[str]:
        """The files, those with rows last."""
        with_rows = self.records[FILE_KEY].unique(maintain_order=True).to_list()
        return [*(key for key in self.stated if key not in with_rows), *with_rows]

    def by_file(self) -> "list[Portion]":
        """A portion a file."""
        frames = {
            str(frame[FILE_KEY][0]): frame
            for frame in self.records.partition_by(FILE_KEY, maintain_order=True)
        }
        nothing = self.records.clear()
        return [
            Portion(frames.get(key, nothing), {key: self.stated[key]} if key in self.stated else {})
            for key in dict.fromkeys([*frames, *self.stated])
        ]


class Isolation:
    """The parts in which records of files are written, so that a refused file costs only itself.

    Each part is to be written, or handed to `refuse`; first there is one part, the whole portion
    (none if it says nothing)::

        parts = Isolation(portion)
        for part in parts:
            try:
                store.write(dataset, part.records, part.stated)
            except StoreRejectedError as error:
                parts.refuse(part, error)

    Attributes:
        refused: why the store refuses a file, by its key. Whole files and not single rows: a store
            that refuses everything for a reason of its own would reject every row of the desk's.
    """

    def __init__(self, portion: Portion) -> None:
        self.refused: dict[str, StoreRejectedError] = {}
        says_something = portion.stated or not portion.records.is_empty()
        self._parts = deque([portion] if says_something else [])

    def __iter__(self) -> Iterator[Portion]:
        while self._parts:
            yield self._parts.popleft()

    def refuse(self, part: Portion, error: StoreRejectedError) -> None:
        """The store refuses a part: go on with its files, or note the one file that it is."""
        files = part.by_file()
        if len(files) > 1:
            self._parts.extend(files)
        elif files:
            key = part.file_keys[-1]
            self.refused[key] = error
            log.error("store refuses a file", file=key, error=str(error))
