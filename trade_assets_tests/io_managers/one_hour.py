"""Program that materialises an hour of the spot-risk feed, as a run's process does: the partition
is its argument, the settings are those of its environment."""

import sys

import dagster as dg

from trade_assets.settings import load_settings
from trade_assets_tests.stores.samples import SPOT
from trade_assets_tests.support.materialise import Materialise

if __name__ == "__main__":
    with dg.DagsterInstance.ephemeral() as instance:
        Materialise(load_settings(), instance)(SPOT, partition=sys.argv[1])
