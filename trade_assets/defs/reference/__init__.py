"""Dagster objects of reference data: what does not come from files."""
