"""What changed from a slot's records to the next one's: the rule of the history. Pure.

A snapshot repeats what is still true; the history holds a record when it is new or differs.
"""

from datetime import datetime
from typing import Final

import polars as pl

from trade_assets.datasets.records import EVENT_TIME, FILE_KEY, ROW, TRADING_DATE

_NEVER_COMPARED: Final = (FILE_KEY, ROW, TRADING_DATE)
"""They differ from slot to slot whatever the record says; the trading date is that of the event
time."""


def changed_records(
    records: pl.DataFrame, slot: datetime, before: pl.DataFrame | None, slot_before: datetime
) -> pl.DataFrame:
    """The records that the slot before did not have with the same content, in their order.

    Event times are compared too, unless they are but the slots. `before` is None where there was
    no slot before: then everything is new.
    """
    if before is None or before.is_empty() or records.is_empty():
        return records
    left_out = set(_NEVER_COMPARED)
    if _is_timed(records, slot) and _is_timed(before, slot_before):
        left_out.add(EVENT_TIME)
    compared = [name for name in records.columns if name not in left_out]
    return records.join(
        before.select(compared), on=compared, how="anti", nulls_equal=True, maintain_order="left"
    )


def _is_timed(records: pl.DataFrame, slot: datetime) -> bool:
    return bool((records[EVENT_TIME] == slot).all())
