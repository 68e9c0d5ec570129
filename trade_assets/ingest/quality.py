"""What the asset checks look for in records: bad quotes, prices off the ticks, symbols that nobody
can translate, and a schema that is not the data set's."""

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from trade_assets.datasets.dataset import Dataset, ParsedDataset
from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, RECORD_KEY, ROW
from trade_assets.market.identify import INSTRUMENT_ID
from trade_assets.market.price_frames import off_ticks

SAMPLE_ROWS: Final = 20
LOCATED: Final = (FILE_KEY, ROW, RECORD_KEY, EVENT_TIME)
"""What a sample of rows says of each, to find it again."""


@dataclass
class QuoteFindings:
    """Quotes that no market shows: counts, and a sample of the rows."""

    crossed: int = 0
    negative: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: "QuoteFindings") -> None:
        """Take in the findings of more records."""
        self.crossed += other.crossed
        self.negative += other.negative
        self.sample = (self.sample + other.sample)[:SAMPLE_ROWS]


@dataclass
class TickFindings:
    """Rows with a price at which their instrument cannot trade: a count, and a sample of them."""

    off: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: "TickFindings") -> None:
        """Take in the findings of more records."""
        self.off += other.off
        self.sample = (self.sample + other.sample)[:SAMPLE_ROWS]


@dataclass
class SymbolFindings:
    """How many rows carry a canonical instrument, and the keys of some that do not."""

    rows: int = 0
    untranslated: int = 0
    sample: list[str] = field(default_factory=list)

    @property
    def coverage_percent(self) -> float | None:
        """Share of the rows that are translated; None without rows."""
        return 100 * (self.rows - self.untranslated) / self.rows if self.rows else None

    def add(self, other: "SymbolFindings") -> None:
        """Take in the findings of more records."""
        self.rows += other.rows
        self.untranslated += other.untranslated
        self.sample = list(dict.fromkeys([*self.sample, *other.sample]))[:SAMPLE_ROWS]


def find_symbols(records: pl.DataFrame) -> SymbolFindings:
    """Translated and untranslated rows of records."""
    missing = records[INSTRUMENT_ID].null_count()
    if not missing:
        return SymbolFindings(records.height)
    keys = records.filter(pl.col(INSTRUMENT_ID).is_null())[RECORD_KEY].unique(maintain_order=True)
    return SymbolFindings(records.height, missing, keys.head(SAMPLE_ROWS).to_list())


def find_bad_quotes(dataset: ParsedDataset, records: pl.DataFrame) -> QuoteFindings:
    """Crossed (bid over ask) and negative quotes of records; nothing where there are no quotes."""
    if dataset.quote_columns is None or records.is_empty():
        return QuoteFindings()
    bid, ask = dataset.quote_columns
    crossed = (pl.col(bid) > pl.col(ask)).fill_null(value=False)
    negative = (pl.min_horizontal(bid, ask) < 0).fill_null(value=False)
    found = records.lazy().select(
        *LOCATED, bid, ask,
        crossed.alias("crossed"), negative.alias("negative"),
    ).filter(pl.col("crossed") | pl.col("negative")).collect()  # fmt: skip
    if found.is_empty():
        return QuoteFindings()
    return QuoteFindings(
        crossed=int(found["crossed"].sum()),
        negative=int(found["negative"].sum()),
        sample=found.head(SAMPLE_ROWS).to_dicts(),
    )


def find_off_ticks(dataset: ParsedDataset, records: pl.DataFrame) -> TickFindings:
    """Rows of records with a price off the ticks of their instrument, as far as that is known."""
    found = TickFindings()
    if not dataset.traded_columns or records["product"].null_count() == records.height:
        return found
    prices = records.select(dataset.traded_columns)
    off = off_ticks(prices, records["product"], records["put_call"].is_not_null())
    if off.any():
        rows = records.filter(off).select(*LOCATED, *dataset.traded_columns)
        found = TickFindings(rows.height, rows.head(SAMPLE_ROWS).to_dicts())
    return found


def schema_problems(dataset: Dataset, records: pl.DataFrame) -> list[str]:
    """How records differ from the data set's declared schema, a sentence each."""
    expected = dataset.record_schema
    problems = [
        f"column {name} is {records.schema[name]}, declared {dtype}"
        for name, dtype in expected.items()
        if name in records.schema and records.schema[name] != dtype
    ]
    problems += [f"column {name} is absent" for name in expected if name not in records.schema]
    undeclared = [name for name in records.columns if name not in expected]
    return problems + [f"column {name} is not declared" for name in undeclared]
