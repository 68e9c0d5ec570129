"""Result of an asset check, in the two forms in which Dagster takes it. No check belongs here."""

from dataclasses import dataclass
from typing import Any

import dagster as dg


@dataclass(frozen=True)
class CheckOutcome:
    """Result of one check of one asset."""

    asset_key: dg.AssetKey
    name: str
    passed: bool
    severity: dg.AssetCheckSeverity
    metadata: dict[str, Any]

    @property
    def key(self) -> dg.AssetCheckKey:
        """Key of the check."""
        return dg.AssetCheckKey(self.asset_key, self.name)

    def as_result(self) -> dg.AssetCheckResult:
        """For an asset's or a check's own function."""
        return dg.AssetCheckResult(
            passed=self.passed,
            asset_key=self.asset_key,
            check_name=self.name,
            severity=self.severity,
            metadata=self.metadata,
        )

    def as_evaluation(self) -> dg.AssetCheckEvaluation:
        """For whoever reports about assets from outside (stream run, sensor)."""
        return dg.AssetCheckEvaluation(
            asset_key=self.asset_key,
            check_name=self.name,
            passed=self.passed,
            severity=self.severity,
            metadata=self.metadata,
        )
