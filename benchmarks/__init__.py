"""The figures of the platform, measured on the local parts: `make bench`, `python -m benchmarks`.

A module (or package) a figure, each with `measure(bench) -> Figure`. Nothing here is part of the
product, and the product imports nothing from here.
"""
