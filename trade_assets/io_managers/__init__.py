"""Dagster's IO managers: thin. Keying, partitions and metadata over the stores, nothing else.

Each has the typed `write` that its `handle_output` is made of; the stream run calls that one.
"""
