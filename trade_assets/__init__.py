"""Market data of a trading desk as Dagster assets. No code belongs in this file."""
