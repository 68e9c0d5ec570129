"""The asset check of the derived data sets."""

import dagster as dg

from trade_assets.datasets.keys import LATEST
from trade_assets.defs.shared.check_outcome import CheckOutcome
from trade_assets.defs.shared.dagster_terms import layer_key
from trade_assets.defs.shared.names import DERIVED_CHECK
from trade_assets.feeds.derivation import DerivedFigures
from trade_assets.feeds.derived.declarations import Derived


def derived_check_spec(dataset: Derived) -> dg.AssetCheckSpec:
    """Spec of the check: what arrived could be derived from."""
    return dg.AssetCheckSpec(
        DERIVED_CHECK,
        asset=layer_key(dataset, LATEST),
        description=f"Records could be derived from what arrived of {dataset.origin.path}"
        + (f", and {dataset.never_zero} is not 0." if dataset.never_zero else "."),
    )


def derived_outcome(figures: DerivedFigures) -> CheckOutcome:
    """Outcome of the check on data that was just derived."""
    barren = figures.rows > 0 and figures.details.get(figures.dataset.never_zero or "") == 0
    return CheckOutcome(
        layer_key(figures.dataset, LATEST),
        DERIVED_CHECK,
        passed=not figures.failures and not barren,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "rows": figures.rows,
            "failures": figures.failures,
            "partition": figures.partition,
            **figures.details,
        },
    )
