"""Actant PnL grid, `GE_<underlying>_YYYYMMDD_HHMMSS.csv`: one line an expiry (or total) and metric,
one column a shock of the price in points. Each cell of a shock becomes a record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import Feed
from trade_assets.datasets.records import EXTRA, MAX_REJECTED_TEXT, ROW, ParsedFile, RejectedRow
from trade_assets.errors import UnparsableFileError
from trade_assets.feeds.formats import scenario_files as scenarios
from trade_assets.feeds.formats.csv_rows import Rows, extra_column, read_rows
from trade_assets.feeds.formats.scenario_files import (
    Points,
    finish_points,
    read_name,
    read_shock,
)
from trade_assets.market.numbers import Problem, read_numbers

FILE_PATTERN: Final = scenarios.name_pattern("csv")

SCOPE: Final = "Expiration"
METRIC: Final = "Value"
UNDERLYING_PRICE: Final = "UPrice"
REQUIRED: Final = (SCOPE, METRIC, UNDERLYING_PRICE)

SCHEMA: Final[Mapping[str, pl.DataType]] = {
    **scenarios.SCHEMA,
    "underlying_price": pl.Float64(),
}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    **scenarios.COLUMN_TEXTS,
    "underlying_price": "price of the underlying before the shock, points",
}


def parse_pnl_grid(data: bytes, file_name: str) -> ParsedFile:
    """Points of a PnL grid under `SCHEMA`; see `Parser` for the promise.

    A row of the accounting is a point, and its number the line of the file; a line that cannot be
    split into its points is one row. An empty cell is a point whose value is null. A column whose
    name is a number, with or without `%`, is a shock.

    Raises:
        UnparsableFileError: the name holds no time, or the header lacks a column of `REQUIRED` or
            any shock.
    """
    scenario = read_name(file_name, FILE_PATTERN)
    rows = read_rows(data, file_name, required=REQUIRED)
    shocks = [name for name in rows.text.columns if read_shock(name)]
    if not shocks:
        raise UnparsableFileError(file_name, "the header has no column of a shock")
    (prices,), problems = read_numbers([rows.text[UNDERLYING_PRICE]])
    unknown = tuple(name for name in rows.text.columns if name not in (*REQUIRED, *shocks))
    points = _points(rows, shocks, prices, unknown)
    _reject_lines(points, problems, len(shocks))
    return finish_points(points, scenario, rejected=_unsplit(rows), unknown=unknown)


def _points(rows: Rows, shocks: Sequence[str], prices: pl.Series, unknown: Sequence[str]) -> Points:
    """The cells of the lines, line by line."""
    by_line = rows.text.select(
        pl.col(SCOPE, METRIC),
        rows.numbers,
        prices.alias("underlying_price"),
        extra_column(rows.text, unknown),
        pl.concat_list(shocks).alias("values"),
    )
    cells = by_line.explode("values")
    return Points(
        rows=cells[ROW],
        scopes=cells[SCOPE],
        metrics=cells[METRIC],
        shocks=pl.Series(list(shocks) * rows.text.height, dtype=pl.String),
        values=cells["values"],
        extra=cells[EXTRA],
        text_of=lambda at: rows.lines[cells[ROW][at] - 1],
        columns=[cells["underlying_price"]],
    )


def _reject_lines(points: Points, problems: Iterable[Problem], width: int) -> None:
    """Reject all points of the lines with a problem, by position of the line."""
    for line, reason in problems:
        for at in range(line * width, (line + 1) * width):
            points.reject(at, reason)


def _unsplit(rows: Rows) -> list[RejectedRow]:
    """The lines that are no points."""
    return [
        RejectedRow(line, reason, rows.lines[line - 1][:MAX_REJECTED_TEXT])
        for line, reason in rows.problems.items()
    ]


PNL_GRID: Final = Feed(
    source="actant",
    name="pnl_grid",
    title="Actant PnL grid: metrics of every expiry under shocks of the price",
    file_pattern=FILE_PATTERN,
    parse=parse_pnl_grid,
    schema=SCHEMA,
    columns=COLUMN_TEXTS,
    record_key_is=scenarios.RECORD_KEY_IS,
    event_time_is="the time in the file name, US Central",
    cadence_seconds=300.0,
    gap_seconds=900.0,
    freshness_seconds=1800.0,
)
