"""The expiration calendar: every listed future and option series, with its symbol in each notation.

Generated from the exchange's rules; it changes only as time goes by, and once a day is enough.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg
import polars as pl

from trade_assets.defs.shared.names import REFERENCE_IO
from trade_assets.errors import SymbolError
from trade_assets.io_managers.metadata import rows_table
from trade_assets.market.expirations import EXPIRATIONS_COLUMNS, EXPIRATIONS_SCHEMA, expirations
from trade_assets.market.products import PRODUCTS
from trade_assets.market.symbols import SymbolNotation, parse_symbol

DAYS_BACK: Final = 400
DAYS_AHEAD: Final = 550
"""A year of history to translate, and every contract that trades."""

SHOWN_ROWS: Final = 20
KEY: Final = dg.AssetKey(["reference", "expirations"])

_WANTED: Final = (
    # `on_missing` looks only at what goes missing later. A run that failed waits for the next day.
    dg.AutomationCondition.missing()
    & ~dg.AutomationCondition.in_progress()
    & ~dg.AutomationCondition.execution_failed()
) | dg.AutomationCondition.on_cron("0 17 * * *", "America/Chicago")


@dg.asset(
    key=KEY,
    group_name="reference",
    description="Listed futures and option series by expiry, and what each system calls them.",
    kinds={"s3", "parquet"},
    io_manager_key=REFERENCE_IO,
    metadata={
        "dagster/column_schema": dg.TableSchema(
            [
                dg.TableColumn(name, str(dtype), EXPIRATIONS_COLUMNS[name])
                for name, dtype in EXPIRATIONS_SCHEMA.items()
            ]
        )
    },
    automation_condition=_WANTED,
)
def expiration_calendar() -> dg.MaterializeResult[pl.DataFrame]:
    """The calendar around today; deterministic for a given day."""
    today = datetime.now(UTC).date()
    frame = expirations(
        PRODUCTS, today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    )
    next_ones = frame.filter(pl.col("expiry") >= today).head(SHOWN_ROWS)
    return dg.MaterializeResult(
        value=frame,
        metadata={
            "dagster/row_count": frame.height,
            "first_expiry": str(frame["expiry"].min()),
            "last_expiry": str(frame["expiry"].max()),
            "next": rows_table(next_ones.to_dicts()),
        },
    )


@dg.asset_check(
    asset=KEY,
    name="round_trip",
    description="Every symbol of the calendar translates back into its own series.",
)
def expirations_round_trip(expirations: pl.DataFrame) -> dg.AssetCheckResult:
    """Translate every symbol back."""
    names = [notation.value for notation in SymbolNotation]
    symbols = expirations.unpivot(
        names, index=["series_id", "expiry"], variable_name="notation", value_name="symbol"
    ).drop_nulls("symbol")
    wrong = [row for row in symbols.to_dicts() if not _comes_back(row)]
    return dg.AssetCheckResult(
        passed=not wrong,
        metadata={"symbols": symbols.height, "wrong": rows_table(wrong[:SHOWN_ROWS])},
    )


def _comes_back(row: dict[str, Any]) -> bool:
    try:
        found = parse_symbol(row["symbol"], SymbolNotation(row["notation"]), row["expiry"])
    except SymbolError:
        return False
    return bool(found.contract == row["series_id"])
