"""Outcomes of asset checks that feeds and snapshots share, on data that was just written. What only
one of them has is in its own `checks`.
"""

from typing import Any

import dagster as dg

from trade_assets.datasets.keys import HISTORY
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.names import SCHEMA_CHECK, SYMBOLS_CHECK, layer_key
from trade_assets.ingest.figures import FileFigures


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
