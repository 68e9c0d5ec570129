"""What the ledger says at the end of a measurement: that every file is stored, and by which run."""

import time
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.figures import BenchmarkError
from trade_assets.settings import Settings
from trade_assets.stores.aws import dynamodb_client
from trade_assets.stores.dynamodb.ledger import GENERATION_KEY, FileState

Line = dict[str, Any]

POLL_SECONDS: Final = 0.5


def ledger_lines(settings: Settings) -> dict[str, Line]:
    """Every line of the ledger as plain values, by file key."""
    pages = (
        dynamodb_client(settings)
        .get_paginator("scan")
        .paginate(TableName=settings.ledger_table, ConsistentRead=True)
    )
    lines: list[Line] = [
        {name: next(iter(value.values())) for name, value in item.items()}
        for page in pages
        for item in page["Items"]
    ]
    return {line["pk"]: line for line in lines if line["pk"] != GENERATION_KEY}


def await_stored(
    settings: Settings, rows_by_key: Mapping[str, int], seconds: float
) -> dict[str, Line]:
    """Wait until these files are stored with all their rows; returns the ledger's lines.

    Raises:
        BenchmarkError: some are not after `seconds`; a figure about them would be worth nothing.
    """
    deadline = time.monotonic() + seconds
    while True:
        lines = ledger_lines(settings)
        wrong = [key for key, rows in rows_by_key.items() if not _is_whole(lines.get(key), rows)]
        if not wrong:
            return lines
        if time.monotonic() > deadline:
            raise BenchmarkError(f"{len(wrong)} files are not stored whole, e.g. {wrong[0]}")
        time.sleep(POLL_SECONDS)


def _is_whole(line: Line | None, rows: int) -> bool:
    if line is None or line["state"] != FileState.STORED:
        return False
    kept = int(line["rows_stored"]) + int(line["rows_unchanged"])
    return kept == int(line["rows_in"]) == rows
