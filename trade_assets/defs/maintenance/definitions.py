"""Definitions that keep Dagster's own storage bounded."""

import dagster as dg

from trade_assets.defs.maintenance.prune import prune_job, prune_schedule
from trade_assets.defs.shared.concept import Concept, Platform


def build(platform: Platform) -> Concept:
    """The concept `maintenance`, which has no data sets."""
    job = prune_job(platform.settings)
    return Concept(dg.Definitions(jobs=[job], schedules=[prune_schedule(job)]))
