"""TT slots: how punctual they are, how long a large snapshot takes, what they leave in Dagster."""

from benchmarks.slots.compare import measure

__all__ = ["measure"]
