"""What the asset checks look for in records: bad quotes and a schema that is not the feed's."""

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from trade_assets.feeds.base import EVENT_TIME, FILE_KEY, RECORD_KEY, ROW, Feed

SAMPLE_ROWS: Final = 20


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


def find_bad_quotes(feed: Feed, records: pl.DataFrame) -> QuoteFindings:
    """Crossed (bid over ask) and negative quotes of records; nothing for a feed without quotes."""
    if feed.quote_columns is None or records.is_empty():
        return QuoteFindings()
    bid, ask = feed.quote_columns
    crossed = (pl.col(bid) > pl.col(ask)).fill_null(value=False)
    negative = (pl.min_horizontal(bid, ask) < 0).fill_null(value=False)
    found = records.lazy().select(
        FILE_KEY, ROW, RECORD_KEY, EVENT_TIME, bid, ask,
        crossed.alias("crossed"), negative.alias("negative"),
    ).filter(pl.col("crossed") | pl.col("negative")).collect()  # fmt: skip
    if found.is_empty():
        return QuoteFindings()
    return QuoteFindings(
        crossed=int(found["crossed"].sum()),
        negative=int(found["negative"].sum()),
        sample=found.head(SAMPLE_ROWS).to_dicts(),
    )


def schema_problems(feed: Feed, records: pl.DataFrame) -> list[str]:
    """How records differ from the feed's declared schema, a sentence each."""
    expected = feed.record_schema
    problems = [
        f"column {name} is {records.schema[name]}, declared {dtype}"
        for name, dtype in expected.items()
        if name in records.schema and records.schema[name] != dtype
    ]
    problems += [f"column {name} is absent" for name in expected if name not in records.schema]
    undeclared = [name for name in records.columns if name not in expected]
    return problems + [f"column {name} is not declared" for name in undeclared]
