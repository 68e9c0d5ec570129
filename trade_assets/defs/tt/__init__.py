"""Dagster objects of the snapshots: the slot sensor, its run, and the assets by hour."""
