"""Outcomes of asset checks that feeds and snapshots share, on data that was just written. What only
one of them has is in its own `checks`.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from trade_assets.datasets.dataset import ParsedDataset
from trade_assets.datasets.keys import HISTORY
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import SCHEMA_CHECK, SYMBOLS_CHECK, TICKS_CHECK
from trade_assets.ingest.figures import FileFigures
from trade_assets.io_managers.metadata import rows_table


def schema_outcome(figures: FileFigures) -> CheckOutcome:
    """Whether records have the columns that the registry declares."""
    return CheckOutcome(
        layer_key(figures.dataset, HISTORY),
        SCHEMA_CHECK,
        passed=not figures.schema_problems,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "problems": figures.schema_problems,
            "unknown_columns": figures.unknown_columns,
            "partition": figures.partition,
        },
    )


def symbols_outcome(figures: FileFigures) -> CheckOutcome:
    """Whether every row's symbol is translated; a warning where not."""
    symbols = figures.symbols
    metadata: dict[str, Any] = {
        "rows": symbols.rows,
        "rows_untranslated": symbols.untranslated,
        "untranslated": symbols.sample,
        "partition": figures.partition,
    }
    if symbols.coverage_percent is not None:
        metadata["symbols_translated_percent"] = round(symbols.coverage_percent, 3)
    return CheckOutcome(
        layer_key(figures.dataset, HISTORY),
        SYMBOLS_CHECK,
        passed=not symbols.untranslated,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


def ticks_specs(dataset: ParsedDataset) -> Iterator[dg.AssetCheckSpec]:
    """Spec of the check of prices, where the data set has prices of what trades."""
    if dataset.traded_columns:
        yield dg.AssetCheckSpec(
            TICKS_CHECK,
            asset=layer_key(dataset, HISTORY),
            description="Every price is one at which its instrument can trade (a warning: the "
            "rows are stored as they are).",
        )


def ticks_outcomes(figures: FileFigures) -> Iterator[CheckOutcome]:
    """Whether every price is on its instrument's ticks: a warning with the rows where not. Nothing
    where there are no such prices."""
    dataset, ticks = figures.dataset, figures.ticks
    if dataset.traded_columns:
        yield CheckOutcome(
            layer_key(dataset, HISTORY),
            TICKS_CHECK,
            passed=not ticks.off,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "rows_off_tick": ticks.off,
                "columns": list(dataset.traded_columns),
                "rows": rows_table(ticks.sample),
                "partition": figures.partition,
            },
        )
