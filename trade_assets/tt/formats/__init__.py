"""Snapshots of the TT REST API: raw answers, slot by slot, to typed frames. Pure.

A module a kind, with its `Snapshot`; `tt.datasets` lists them.
"""
