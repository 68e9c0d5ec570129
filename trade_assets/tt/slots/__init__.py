"""Snapshots slot by slot: when one is due, taking it from the API, and an hour of them again from
the raw documents. `defs.tt` is its Dagster side.
"""
