"""Real-sized spot-risk files of the simulated desk: the same ones in every run."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from trade_assets.datasets.dataset import to_records
from trade_assets.datasets.keys import feed_file_key
from trade_assets.feeds.formats.spot_risk import SPOT_RISK
from trade_assets.feeds.formats.vtexp import VTEXP
from trade_assets.simulators.desk.spot_risk_file import spot_risk_file
from trade_assets.simulators.desk.vtexp_file import vtexp_file

SEED: Final = 7
FEWEST_ROWS: Final = 81
MOST_ROWS: Final = 400
FIRST_AT: Final = datetime(2025, 7, 17, 14, 0, tzinfo=UTC)
"""Time of the first file; a second later the next. A Thursday's session, 9 o'clock Central."""
EXPIRIES_AT: Final = FIRST_AT - timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Sample:
    """One file: its name, content, data rows, and the event time that its name holds."""

    name: str
    data: bytes
    rows: int
    event_time: datetime


def sample(second: int, rows: int) -> Sample:
    """The file of a second, with 16 columns."""
    at = FIRST_AT + timedelta(seconds=second)
    name, data = spot_risk_file(SEED, at, rows=rows)
    return Sample(name, data, rows, at)


def samples(count: int) -> list[Sample]:
    """Files of consecutive seconds with 81 to 400 rows each, evenly mixed."""
    rows = random.Random(SEED)
    return [sample(second, rows.randint(FEWEST_ROWS, MOST_ROWS)) for second in range(count)]


def sample_records(item: Sample) -> pl.DataFrame:
    """A file's records as the stream hands them to the stores."""
    key = feed_file_key(SPOT_RISK, item.name, item.event_time)
    return to_records(SPOT_RISK, SPOT_RISK.parse(item.data, item.name), key)


def expiry_records() -> pl.DataFrame:
    """Records of the times to expiry that the desk gave before the first file."""
    name, data = vtexp_file(EXPIRIES_AT)
    return to_records(VTEXP, VTEXP.parse(data, name), feed_file_key(VTEXP, name, EXPIRIES_AT))


def sizes(files: Iterable[Sample]) -> str:
    """Number, rows and bytes of files, in words."""
    items = list(files)
    rows = sorted(item.rows for item in items)
    kilobytes = sorted(len(item.data) / 1000 for item in items)
    return (
        f"{len(items):,} generated spot-risk files of 16 columns, {rows[0]} to {rows[-1]} rows "
        f"(mean {sum(rows) / len(rows):.0f}), {kilobytes[0]:.0f} to {kilobytes[-1]:.0f} kB"
    )
