"""The stores, a folder each, which know no concept, and what they share. No Dagster here."""
