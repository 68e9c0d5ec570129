"""Parse: rows of a spot-risk file a second and core, beside the obvious ways on the same bytes.

All three come to the same values, which is checked before anything is measured. The other feeds
follow in `parse_feeds`.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import cycle
from typing import Any, Final

import pandas as pd  # type: ignore[import-untyped]

from benchmarks.figures import BenchmarkError, Figure, Row, Spread, Table
from benchmarks.parse_feeds import add_feeds
from benchmarks.parts import Bench
from benchmarks.samples import FEWEST_ROWS, MOST_ROWS, Sample, sample, sizes
from benchmarks.timing import Way, cpu_rounds, how_timed
from trade_assets.datasets.records import EVENT_TIME
from trade_assets.feeds.formats.spot_risk import (
    FILE_PATTERN,
    INSTRUMENT_TYPES,
    NUMBERS,
    PRICES,
    QUANTITIES,
    SPOT_RISK,
)
from trade_assets.market.prices import CABINET_AS_WRITTEN, CABINET_PRICE
from trade_assets.market.trading_days import stamp_to_utc

Parse = Callable[[Sample], Sequence[Any] | pd.DataFrame]

DIFFERENT_FILES: Final = 20
_NUMBERS: Final = tuple(NUMBERS.items())


def with_trade_assets(item: Sample) -> Any:
    """The platform's parser."""
    return SPOT_RISK.parse(item.data, item.name).frame


def with_dict_reader(item: Sample) -> list[dict[str, Any]]:
    """`csv.DictReader` into typed dicts."""
    event_time = _event_time(item)
    rows = []
    lines = csv.DictReader(io.StringIO(item.data.decode(), newline=""))
    next(lines)  # the type row
    for number, line in enumerate(lines, start=3):
        if line["ITYPE"] not in INSTRUMENT_TYPES:
            raise BenchmarkError("the samples hold no such row")
        row: dict[str, Any] = {
            "record_key": line["Key"],
            EVENT_TIME: event_time,
            "row": number,
            "instrument_type": line["ITYPE"],
        }
        for name, standard_name in _NUMBERS:
            row[standard_name] = _number(name, line.get(name))
        rows.append(row)
    return rows


def _number(name: str, text: str | None) -> float | int | None:
    if text in (None, "", "INVALID"):
        return None
    if name in QUANTITIES:
        return int(text)
    value = float(text)
    return CABINET_PRICE if value == CABINET_AS_WRITTEN and name in PRICES else value


def with_pandas(item: Sample) -> pd.DataFrame:
    """`pandas.read_csv` into a typed frame."""
    frame = pd.read_csv(
        io.BytesIO(item.data),
        skiprows=[1],
        na_values=["", "INVALID"],
        keep_default_na=False,
        dtype={"Key": "str", "ITYPE": "str", **dict.fromkeys(QUANTITIES, "Int64")},
    )
    frame[list(PRICES)] = frame[list(PRICES)].replace(CABINET_AS_WRITTEN, CABINET_PRICE)
    if not frame["ITYPE"].isin(INSTRUMENT_TYPES).all():
        raise BenchmarkError("the samples hold no such row")
    frame = frame.rename(columns={"Key": "record_key", "ITYPE": "instrument_type", **NUMBERS})
    frame[EVENT_TIME] = _event_time(item)
    frame["row"] = range(3, len(frame) + 3)
    return frame


def _event_time(item: Sample) -> datetime:
    match = FILE_PATTERN.fullmatch(item.name)
    assert match is not None
    at = stamp_to_utc(match["day"] + match["time"])
    assert at is not None
    return at


PARSERS: Final[dict[str, Parse]] = {
    "trade_assets": with_trade_assets,
    "csv.DictReader": with_dict_reader,
    "pandas.read_csv": with_pandas,
}


def measure(bench: Bench) -> Figure:
    """Rows a second and core for files of the fewest and the most rows."""
    bench.say("parse")
    figure = Figure("parse", "Parse: rows per second per core")
    shown: list[Row] = []
    notes: list[str] = []
    for rows in (FEWEST_ROWS, MOST_ROWS):
        files = [sample(second, rows) for second in range(DIFFERENT_FILES)]
        require_same(files[0])
        speeds = _speeds(files, bench)
        ours = speeds["trade_assets"].median
        for name, speed in speeds.items():
            span = f"{speed.low:,.0f} to {speed.high:,.0f}"
            times = f"{ours / speed.median:.1f}x"
            shown.append((f"{name}, {rows} rows", f"{speed.median:,.0f}", span, times))
            figure.data[f"{name}/{rows}"] = asdict(speed)
        notes.append(f"{sizes(files)}.")
    columns = ("parser and file", "rows/s", "10 to 90 %", "trade_assets is faster by")
    figure.tables = [Table(columns, shown, "Spot risk, three ways")]
    figure.notes = [*notes, *_notes(bench)]
    add_feeds(figure, bench)
    return figure


def _speeds(files: list[Sample], bench: Bench) -> dict[str, Spread]:
    ways = {name: Way(parse, cycle(files)) for name, parse in PARSERS.items()}
    return {
        name: Spread.of([files[0].rows / seconds for seconds in rounds])
        for name, rounds in cpu_rounds(ways, bench.scale).items()
    }


def require_same(item: Sample) -> None:
    """Check that all parsers come to the same values.

    Raises:
        BenchmarkError: they do not, and comparing them would mean nothing.
    """
    ours = with_trade_assets(item).select("record_key", "row", "instrument_type", *NUMBERS.values())
    expected = ours.rows()
    rows = with_dict_reader(item)
    if [tuple(row[name] for name in ours.columns) for row in rows] != expected:
        raise BenchmarkError("csv.DictReader reads other values than the platform's parser")
    frame = with_pandas(item)[ours.columns].astype("object")
    frame = frame.where(frame.notna(), None)
    if [tuple(row) for row in frame.itertuples(index=False)] != expected:
        raise BenchmarkError("pandas reads other values than the platform's parser")


def _notes(bench: Bench) -> list[str]:
    return [
        "trade_assets: bytes → typed Polars frame (strings, Float64, Int64, UTC time, line "
        "numbers); it also checks that each number reads back as written, that keys are unique and "
        "that no row is lost, and keeps unknown columns; the other two do not.",
        "csv.DictReader: bytes → list of dicts with float, int, None for INVALID and empty, "
        "cabinet price, instrument type checked, event time from the name.",
        f"pandas {pd.__version__}: bytes → DataFrame with str, Int64 and float, NaN "
        "for INVALID and empty, cabinet price, instrument type checked, renamed, event time from "
        "the name.",
        "Same values from all three, checked before. trade_assets also names the instrument of "
        "every row, remembered from the file before, as it is in a running stream.",
        how_timed(bench.scale),
    ]
