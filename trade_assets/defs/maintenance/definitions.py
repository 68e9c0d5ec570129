"""Definitions that keep Dagster's own storage bounded, and Redis whole."""

import dagster as dg

from trade_assets.defs.maintenance.prune import prune_job, prune_schedule
from trade_assets.defs.maintenance.rebuild import rebuild_job, rebuild_sensor
from trade_assets.defs.shared.concept import Concept, Platform


def build(platform: Platform) -> Concept:
    """The concept `maintenance`, which has no data sets."""
    prune, rebuild = prune_job(platform.settings), rebuild_job(platform.patient)
    return Concept(
        dg.Definitions(
            jobs=[prune, rebuild],
            schedules=[prune_schedule(prune)],
            sensors=[rebuild_sensor(platform.quick, rebuild)],
        )
    )
