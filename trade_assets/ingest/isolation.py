"""Isolating what a store refuses: written together while all goes well, else file by file."""

from collections import deque
from collections.abc import Iterator

import polars as pl

from trade_assets.datasets.records import FILE_KEY
from trade_assets.errors import StoreRejectedError
from trade_assets.logs import get_logger

log = get_logger(__name__)


class Isolation:
    """The parts in which records of files are written, so that a refused file costs only itself.

    Each part is to be written, or handed to `refuse`; first there is one part, all records::

        parts = Isolation(records)
        for part in parts:
            try:
                store.write(dataset, part)
            except StoreRejectedError as error:
                parts.refuse(part, error)

    Attributes:
        refused: why the store refuses a file, by its key. Whole files and not single rows: a store
            that refuses everything for a reason of its own would reject every row of the desk's.
    """

    def __init__(self, records: pl.DataFrame) -> None:
        self.refused: dict[str, StoreRejectedError] = {}
        self._parts = deque([records])

    def __iter__(self) -> Iterator[pl.DataFrame]:
        while self._parts:
            yield self._parts.popleft()

    def refuse(self, part: pl.DataFrame, error: StoreRejectedError) -> None:
        """The store refuses a part: go on with its files, or note the one file that it is."""
        files = part.partition_by(FILE_KEY, maintain_order=True)
        if len(files) > 1:
            self._parts.extend(files)
        elif files:
            key = str(files[0][FILE_KEY][0])
            self.refused[key] = error
            log.error("store refuses a file", file=key, error=str(error))
