"""Definitions of reference data: what comes from no file."""

import dagster as dg

from trade_assets.defs.reference.expiration_calendar import (
    expiration_calendar,
    expirations_round_trip,
)
from trade_assets.defs.shared.concept import Concept, Platform
from trade_assets.defs.shared.names import AUTOMATION_SENSOR, REFERENCE_IO
from trade_assets.io_managers.reference_io_manager import ReferenceIOManager


def build(platform: Platform) -> Concept:
    """The concept `reference`, whose tables are no data sets of records."""
    return Concept(
        dg.Definitions(
            assets=[expiration_calendar],
            asset_checks=[expirations_round_trip],
            sensors=[
                dg.AutomationConditionSensorDefinition(
                    AUTOMATION_SENSOR,
                    target=dg.AssetSelection.assets(expiration_calendar),
                    minimum_interval_seconds=60,
                    default_status=dg.DefaultSensorStatus.RUNNING,
                )
            ],
            resources={REFERENCE_IO: ReferenceIOManager(platform.patient)},
        )
    )
