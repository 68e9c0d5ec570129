"""The benchmark of price texts runs, with tiny sizes, and compares what is equal."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from benchmarks import prices
from benchmarks.figures import BenchmarkError
from benchmarks.parts import Bench
from benchmarks.scale import QUICK
from trade_assets.market.prices import PriceNotation


def test_all_readers_are_measured_for_all_notations(tmp_path: Path) -> None:
    scale = replace(QUICK, round_seconds=0.001, rounds=1)
    bench = Bench(scale, tmp_path, tmp_path, tmp_path, lambda _: None)
    figure = prices.measure(bench)
    assert len(figure.data) == 3 * len(PriceNotation) * 2


def test_a_text_that_is_no_price_is_not_measured() -> None:
    with pytest.raises(BenchmarkError):
        prices.require_same(PriceNotation.DOTTED_32NDS, pl.Series("price", ["110.32"]))
