"""Keeping Dagster's own storage bounded."""
