"""How single values look."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.cli.shown_values import age_text, both_zones, number_text

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(value=FINITE)
def test_number_in_a_table_reads_back_as_the_number(value: float) -> None:
    assert float(number_text(Decimal(repr(value)))) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (-0.3, "0.0 s"),
        (-75, "-1m15s"),
        (0.84, "0.8 s"),
        (42.9, "42 s"),
        (185, "3m05s"),
        (2 * 3600 + 13 * 60 + 59, "2h13m"),
        (5 * 86400 + 4 * 3600, "5d04h"),
    ],
)
def test_ages(seconds: float | None, text: str) -> None:
    assert age_text(seconds) == text


def test_both_zones_name_the_date_where_it_differs() -> None:
    assert both_zones(datetime(2025, 7, 17, 14, 3, 22, 120000, UTC)) == (
        "2025-07-17 09:03:22.12 CDT · 14:03:22.12 UTC"
    )
    assert both_zones(datetime(2025, 1, 17, 2, tzinfo=UTC)) == (
        "2025-01-16 20:00:00 CST · 2025-01-17 02:00:00 UTC"
    )
