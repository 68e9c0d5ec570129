"""Capturing snapshots of remote APIs: slot by slot from the API, or again from the raw documents.

No Dagster: `defs.tt` says when, this says what.
"""
