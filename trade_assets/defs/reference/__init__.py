"""Dagster objects of reference data, which comes from no file: the calendar of expirations."""
