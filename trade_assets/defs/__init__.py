"""Dagster objects only, a folder per data concept. No formats, stores or clients here."""
