"""Dagster objects that keep Dagster's own storage bounded."""
