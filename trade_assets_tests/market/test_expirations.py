"""The expiration calendar as a table."""

from datetime import date

import polars as pl
import pytest

from trade_assets.errors import SymbolError
from trade_assets.market.expirations import EXPIRATIONS_SCHEMA, expirations
from trade_assets.market.products import PRODUCTS
from trade_assets.market.symbols import parse_id


def ids(frame: pl.DataFrame) -> list[str]:
    return frame["series_id"].to_list()


def test_the_days_of_a_real_file_of_times_to_expiry() -> None:
    frame = expirations(["ZN"], date(2025, 7, 22), date(2025, 8, 4))
    assert ids(frame) == [
        *("GY4N25", "WY4N25", "HY4N25", "OZNQ25", "VY4N25"),
        *("GY5N25", "WY5N25", "HY5N25", "ZN1Q25", "VY1Q25"),
    ]
    days = [
        *("22JUL25", "23JUL25", "24JUL25", "AUG25", "28JUL25"),
        *("29JUL25", "30JUL25", "31JUL25", "01AUG25", "04AUG25"),
    ]
    assert frame["actant_time"].to_list() == [f"XCME.ZN.N.G.{day}" for day in days]


def test_all_columns() -> None:
    frame = expirations(["ZN", "ZB"], date(2025, 9, 19), date(2025, 9, 19))
    assert dict(frame.schema) == EXPIRATIONS_SCHEMA
    assert frame.filter(pl.col("product") == "ZN").rows() == [
        (
            *("ZN3U25", "ZN", "series", date(2025, 9, 19), "ZNZ25", "XCME.ZN3.19SEP25"),
            *(None, "XCME.ZN.N.G.19SEP25", None, "ZN3U5"),
        ),
        (
            *("ZNU25", "ZN", "future", date(2025, 9, 19), "ZNU25", "XCME.ZN.SEP25"),
            *("XCMEFFDPSX20250919U0ZN", None, "TYU5 Comdty", "ZNU5"),
        ),
    ]
    assert ids(frame) == ["ZBU25", "ZN3U25", "ZNU25"]


def test_no_friday_weekly_beside_a_monthly() -> None:
    frame = expirations(["ZN"], date(2024, 1, 1), date(2033, 12, 31))
    monthly = frame.filter(pl.col("series_id").str.starts_with("O"))
    fridays = frame.filter(pl.col("series_id").str.contains(r"^ZN[1-5]"))
    assert monthly.height == 120
    # A Good Friday's monthly and the weekly that would be beside it both move to Thursday.
    assert set(monthly["expiry"]).isdisjoint(fridays["expiry"])


def test_holidays_leave_two_series_on_one_day() -> None:
    frame = expirations(["ZN"], date(2025, 5, 23), date(2025, 5, 28))
    assert ids(frame) == ["OZNM25", "GY4K25", "VY4K25", "WY4K25"]


def test_every_row_is_what_its_id_says() -> None:
    frame = expirations(PRODUCTS, date(2025, 1, 1), date(2026, 12, 31))
    assert frame["expiry"].is_sorted()
    assert frame["series_id"].is_unique().all()
    for row in frame.iter_rows(named=True):
        item = parse_id(row["series_id"])
        assert (item.product, item.kind, item.expiry, item.underlying_id) == (
            *(row["product"], row["kind"], row["expiry"]),
            row["underlying_id"],
        )
    assert set(frame["product"]) == set(PRODUCTS)
    parts = [
        expirations(PRODUCTS, date(2025, 1, 1), date(2025, 9, 18)),
        expirations(PRODUCTS, date(2025, 9, 19), date(2026, 12, 31)),
    ]
    assert pl.concat(parts).equals(frame)


def test_the_ends_of_the_calendar() -> None:
    frame = expirations(["ZN"], date(2099, 11, 1), date(2103, 1, 1))
    # The options of December are on the future of March 2100, which two digits cannot name.
    assert frame["expiry"].max() == date(2099, 12, 21)
    assert ids(frame)[-1] == "ZNZ99"
    assert frame.filter(pl.col("kind") == "series")["expiry"].max() == date(2099, 11, 20)
    assert ids(expirations(["ZN"], date(1990, 1, 1), date(2000, 1, 3))) == ["OZNF00", "VY1F00"]


def test_no_such_product_and_no_days() -> None:
    with pytest.raises(SymbolError, match="ES is no product"):
        expirations(["ES"], date(2025, 1, 1), date(2025, 2, 1))
    frame = expirations(["ZN"], date(2025, 2, 1), date(2025, 1, 1))
    assert frame.height == 0
    assert dict(frame.schema) == EXPIRATIONS_SCHEMA
