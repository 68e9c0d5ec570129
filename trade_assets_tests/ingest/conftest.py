"""Stores of which everything is there, and those of the stream's tests."""

from collections.abc import Iterator

import pytest

from trade_assets.settings import Settings
from trade_assets_tests.feeds.conftest import quick, stores
from trade_assets_tests.support.stores import Stores

__all__ = ["provisioned_stores", "quick", "stores"]


@pytest.fixture
def provisioned_stores(provisioned: Settings) -> Iterator[Stores]:
    """The stores of this test, provisioned."""
    with Stores(provisioned) as made:
        yield made
