"""How single values look."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trade_assets.cli.shown_values import SHORTEST_ID, age_text, both_zones, number_text, shortened

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(value=FINITE)
def test_number_in_a_table_reads_back_as_the_number(value: float) -> None:
    assert float(number_text(Decimal(repr(value)))) == value


@given(ids=st.lists(st.text("abc", min_size=1, max_size=14), max_size=30))
def test_shortened_ids_differ_where_ids_do_and_are_their_beginnings(ids: list[str]) -> None:
    texts = shortened(ids)
    assert len(texts) == len(ids)
    assert len(set(texts)) == len(set(ids))
    for text, whole in zip(texts, ids, strict=True):
        assert whole.startswith(text.removesuffix("…"))
        assert text == whole or SHORTEST_ID < len(text) < len(whole)


def test_an_id_keeps_what_tells_it_from_the_others() -> None:
    assert shortened(["0123456789abcdef"]) == ["01234567…"]
    assert shortened(["0123456789abcdef", "012345678x", "0123456789abcdef"]) == [
        "0123456789…", "012345678x", "0123456789…",
    ]  # fmt: skip


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
