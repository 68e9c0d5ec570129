"""Dagster's IO managers, thin: from a frame of an asset's hour to the stores, and its metadata."""
