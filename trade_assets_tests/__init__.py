"""Tests of `trade_assets`, laid out like the package."""
