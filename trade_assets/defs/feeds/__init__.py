"""Dagster objects of the feeds: assets, checks, the stream run, and the bucket sensor."""
