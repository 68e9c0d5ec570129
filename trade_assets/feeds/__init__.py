"""File formats of the desk: bytes in, a typed Polars frame and the rejected rows out.

Pure functions only: no I/O, no clock, no Dagster. One module a format, one line in `registry`.
"""
