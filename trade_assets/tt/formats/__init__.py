"""Snapshots of the TT REST API: raw answers, slot by slot → typed frames. Pure; no I/O, no Dagster.

A snapshot is a file like those of the feeds, only that we write it ourselves. How the API is asked
is `tt.client`'s business, when it is asked and where the result goes is `capture`'s.
"""
