"""Clients of remote APIs, each behind the one protection layer. They know no Dagster."""
