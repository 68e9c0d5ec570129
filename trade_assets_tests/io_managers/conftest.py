"""The fixtures of tests that materialise: see `support.materialise`."""

from trade_assets_tests.support.materialise import instance, materialise, stores

__all__ = ["instance", "materialise", "stores"]
