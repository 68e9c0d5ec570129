"""What Actant's two scenario files share: the PnL grid and the EOD file, of the same name stem.

A file has points: under one shock of the price, one metric of one scope (an expiry, or a total).
The stem, what a shock is, what a scope stands for, and the long records belong here; how points
stand in a file is the feed's business.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from trade_assets.datasets.records import (
    EXTRA,
    MAX_KEY_BYTES,
    MAX_REJECTED_TEXT,
    RECORD_KEY,
    ROW,
    ParsedFile,
    RejectedRow,
)
from trade_assets.errors import SymbolError
from trade_assets.feeds.formats.csv_rows import last_of_each
from trade_assets.feeds.formats.file_names import FileTime, file_time
from trade_assets.market.identify import instrument_rows
from trade_assets.market.instrument import Instrument
from trade_assets.market.numbers import read_number, read_numbers, shown
from trade_assets.market.symbols import SymbolNotation, parse_expiry_token, parse_symbol

RELATIVE: Final = "relative"
ABSOLUTE: Final = "absolute"
"""Kinds of a shock: in percent of the price (written with `%`), or in price points."""

WITHOUT_FIRST: Final = "w/o first"
"""The scope of all expiries but the first."""

SCHEMA: Final[Mapping[str, pl.DataType]] = {
    "underlying": pl.String(),
    "scope": pl.String(),
    "metric": pl.String(),
    "shock_kind": pl.String(),
    "shock": pl.Float64(),
    "value": pl.Float64(),
}

COLUMN_TEXTS: Final[Mapping[str, str]] = {
    "value": "the metric after the shock, in the units of the desk",
    "metric": "name of the figure, as the file writes it",
    "scope": "expiry or total that it is of, as the file writes it",
    "shock": "move of the underlying's price, in percent or in points",
    "shock_kind": "relative: the shock is in percent; absolute: in points",
    "underlying": "what is shocked, from the file's name",
}

RECORD_KEY_IS: Final = "<underlying>:<scope>:<metric>:<shock>, each as the file writes it"

_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_AT: Final = "at"
_TEXT: Final = "text"


def name_pattern(suffix: str) -> re.Pattern[str]:
    """Names of scenario files: `GE_<underlying>_YYYYMMDD_HHMMSS.<suffix>`."""
    return re.compile(
        rf"GE_(?P<underlying>[A-Za-z0-9.]{{1,40}})_(?P<day>[0-9]{{8}})_(?P<time>[0-9]{{6}})\.{suffix}"
    )


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a file's name says: the underlying in Actant's notation, and the time."""

    underlying: str
    time: FileTime


def read_name(file_name: str, pattern: re.Pattern[str]) -> Scenario:
    """Underlying and time of a file.

    Raises:
        UnparsableFileError: the name is not of this pattern, or there is no such time.
    """
    match = pattern.fullmatch(file_name)
    return Scenario(match["underlying"] if match else "", file_time(file_name, pattern))


def read_shock(text: str) -> tuple[str, float] | None:
    """Kind and size of a shock: `-10%` in percent, `-0.25` in price points; None if it is none."""
    size = read_number(text.removesuffix("%"))
    if isinstance(size, str):
        return None
    return RELATIVE if text.endswith("%") else ABSOLUTE, size + 0.0


def scope_problem(text: str) -> str | None:
    """Why a text cannot be a scope, or None."""
    # A scope with a colon would let two points share a record key.
    return "has a colon" if ":" in text else metric_problem(text)


def metric_problem(text: str) -> str | None:
    """Why a text cannot be a metric, or None."""
    if not text.strip():
        return "is missing"
    return "has a control character" if _CONTROL.search(text) else None


@dataclass(slots=True)
class Points:
    """The points of one file in file order; all columns are of one length.

    Attributes:
        rows: the row of each point; several points may stand on one.
        shocks: texts that `read_shock` can read.
        values: texts of numbers; "" is missing.
        extra: `EXTRA` of each point.
        text_of: what a rejected point shows, by position.
        columns: columns of the feed's own, behind `SCHEMA`.
        problems: position to the first reason why the point is rejected.
    """

    rows: pl.Series
    scopes: pl.Series
    metrics: pl.Series
    shocks: pl.Series
    values: pl.Series
    extra: pl.Series
    text_of: Callable[[int], str]
    columns: Sequence[pl.Series] = ()
    problems: dict[int, str] = field(default_factory=dict)

    def reject(self, position: int, reason: str) -> None:
        """Reject a point; one that is rejected already keeps its reason."""
        self.problems.setdefault(position, reason)

    def reject_texts(
        self, texts: pl.Series, name: str, problem: Callable[[str], str | None]
    ) -> None:
        """Reject the points whose text in a column has a problem."""
        found = {text: reason for text in texts.unique().to_list() if (reason := problem(text))}
        if found:
            for position, text in enumerate(texts.to_list()):
                if text in found:
                    self.reject(position, f"{name} {shown(text)} {found[text]}")

    def rejected(self, reasons: Mapping[int, str], *, duplicate: bool) -> list[RejectedRow]:
        """Rejected rows of the reasons by position."""
        return [
            RejectedRow(self.rows[at], reason, self.text_of(at)[:MAX_REJECTED_TEXT], duplicate)
            for at, reason in reasons.items()
        ]


def finish_points(
    points: Points,
    scenario: Scenario,
    *,
    rejected: Sequence[RejectedRow] = (),
    unknown: tuple[str, ...] = (),
) -> ParsedFile:
    """The parsed file: the good points as long records, and every row that was rejected.

    Of points with the same record key the last good one stays.

    Args:
        rejected: rows of the file that are not among the points.
        unknown: names of what the feed does not know.
    """
    points.reject_texts(points.scopes, "scope", scope_problem)
    points.reject_texts(points.metrics, "metric", metric_problem)
    values = _values(points)
    keys = _record_keys(points, scenario.underlying)
    length = len(keys)
    frame = pl.DataFrame(
        [
            keys,
            scenario.time.event_times(length),
            points.rows.alias(ROW),
            scenario.time.trading_dates(length),
            *_instruments(points.scopes, scenario).get_columns(),
            _repeated("underlying", scenario.underlying, length),
            points.scopes.alias("scope"),
            points.metrics.alias("metric"),
            *_shocks(points.shocks).get_columns(),
            values.alias("value"),
            *points.columns,
            points.extra.alias(EXTRA),
        ]
    )
    frame, duplicates = _good_and_last(frame, points.problems)
    all_rejected = [
        *rejected,
        *points.rejected(points.problems, duplicate=False),
        *points.rejected(duplicates, duplicate=True),
    ]
    return ParsedFile(frame, tuple(sorted(all_rejected, key=lambda item: item.row)), unknown)


def _values(points: Points) -> pl.Series:
    # Without a name of its own: which value it is takes the metric and the shock to say.
    (values,), problems = read_numbers([points.values.alias("")])
    for at, reason in problems:
        points.reject(at, f"{points.metrics[at]} at {points.shocks[at]}{reason}")
    return values


def _record_keys(points: Points, underlying: str) -> pl.Series:
    columns = {"scope": points.scopes, "metric": points.metrics, "shock": points.shocks}
    keys = (
        pl.DataFrame(columns)
        .select(pl.concat_str(pl.lit(underlying), *columns, separator=":"))
        .to_series()
        .alias(RECORD_KEY)
    )
    for at in (keys.str.len_bytes() > MAX_KEY_BYTES).arg_true():
        points.reject(at, f"has a record key of more than {MAX_KEY_BYTES} bytes")
    return keys


def _shocks(texts: pl.Series) -> pl.DataFrame:
    """Kind and size of each shock."""
    found = texts.unique().to_list()
    schema = {name: SCHEMA[name] for name in ("shock_kind", "shock")}
    return _looked_up(texts, found, pl.DataFrame(map(read_shock, found), schema, orient="row"))


def _looked_up(texts: pl.Series, found: list[str], table: pl.DataFrame) -> pl.DataFrame:
    """For each text the row of `table` that stands for it; the rows are aligned with `found`."""
    keys = pl.Series(_TEXT, found, dtype=pl.String)
    rows = texts.to_frame(_TEXT).join(
        table.with_columns(keys), on=_TEXT, how="left", maintain_order="left"
    )
    return rows.drop(_TEXT)


def _repeated(name: str, text: str, length: int) -> pl.Series:
    return pl.Series(name, [text], dtype=pl.String).new_from_index(0, length)


def _instruments(scopes: pl.Series, scenario: Scenario) -> pl.DataFrame:
    """What each scope stands for: an option series, or for a total the bare underlying."""
    as_of = scenario.time.trading_date
    total = _symbol(scenario.underlying, as_of)
    found = scopes.unique().to_list()
    table = instrument_rows([_scope_instrument(text, total, as_of) for text in found])
    return _looked_up(scopes, found, table)


def _scope_instrument(scope: str, total: Instrument | None, as_of: date) -> Instrument | None:
    if scope == WITHOUT_FIRST:
        return total
    if total is not None:
        try:
            return parse_expiry_token(scope, total.product)
        except SymbolError:
            pass
    return _symbol(scope, as_of)


def _symbol(text: str, as_of: date) -> Instrument | None:
    try:
        return parse_symbol(text, SymbolNotation.ACTANT_RISK, as_of)
    except SymbolError:
        return None


def _good_and_last(
    frame: pl.DataFrame, problems: Mapping[int, str]
) -> tuple[pl.DataFrame, dict[int, str]]:
    """The rows without a problem, of those with the same record key the last; and why the others
    are not kept, by position."""
    # Several points stand on one line: it takes the position to name a point.
    frame = frame.with_row_index(_AT)
    if problems:
        rejected = pl.Series(list(problems), dtype=pl.UInt32)
        frame = frame.filter(~pl.col(_AT).is_in(rejected.implode()))
    last, duplicates = last_of_each(frame, _AT)
    return last.drop(_AT), duplicates
