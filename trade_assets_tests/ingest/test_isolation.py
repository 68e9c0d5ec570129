"""Isolating refused files: whatever a store refuses, every other row is written, each once."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.datasets.records import FILE_KEY, ROW
from trade_assets.errors import StoreRejectedError
from trade_assets.ingest.isolation import Isolation, Portion

KEYS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=20)


def write(records: pl.DataFrame, refused: set[str]) -> tuple[list[int], list[str], int]:
    """Write through a store that refuses files: rows written, files refused, calls."""
    written: list[int] = []
    calls = 0
    parts = Isolation(Portion(records))
    for part in parts:
        calls += 1
        try:
            if refused.intersection(part.records[FILE_KEY]):
                raise StoreRejectedError("refused")
        except StoreRejectedError as error:
            parts.refuse(part, error)
            continue
        written += part.records[ROW].to_list()
    return written, sorted(parts.refused), calls


@given(KEYS, st.sets(st.sampled_from(["a", "b", "c", "d", "e"])))
def test_refused_files_and_no_others_are_left_out(keys: list[str], refused: set[str]) -> None:
    records = pl.DataFrame(
        {FILE_KEY: keys, ROW: range(len(keys))}, schema={FILE_KEY: pl.String, ROW: pl.Int64}
    )
    written, left_out, calls = write(records, refused)
    assert left_out == sorted(refused.intersection(keys))
    assert sorted(written) == [row for row, key in enumerate(keys) if key not in refused]
    files = len(set(keys))
    assert calls == (min(files, 1) if files <= 1 or not left_out else 1 + files)
