"""Dagster objects of the data sets that are derived from feeds."""
