"""File formats of the desk: bytes in, a typed Polars frame and the rejected rows out. Pure.

A module a format, with its `Feed`; `feeds.datasets` lists them.
"""
