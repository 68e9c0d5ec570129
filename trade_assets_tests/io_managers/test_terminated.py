"""A run that is terminated while a store is away: it ends at once, whatever it is trying."""

import signal
import subprocess
import sys

import pytest

from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, child_environment
from trade_assets_tests.stores.samples import spot_bytes, spot_key
from trade_assets_tests.support.materialise import PARTITION
from trade_assets_tests.support.stores import Stores

pytestmark = pytest.mark.integration

FOR_EVER = 86_400.0
KEYS = 200
"""More than one request takes: they are tried side by side, in threads of their own."""


@pytest.mark.parametrize("service", ["dynamodb", "s3"])
def test_a_terminated_run_tries_no_more(
    provisioned: Settings, stores: Stores, service: str
) -> None:
    stores.objects.put(spot_key(1), spot_bytes({f"XCME.K{at}.SEP25": 110.5 for at in range(KEYS)}))
    stores.objects.put(spot_key(3), spot_bytes({"XCME.ZN.SEP25": 110.5}))
    nowhere = f"http://{LOOPBACK}:{free_port()}"
    away = provisioned.changed(
        {f"aws_endpoint_url_{service}": nowhere, "store_retry_seconds": FOR_EVER}
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "trade_assets_tests.io_managers.one_hour", PARTITION],
        env=child_environment(away, PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert any("trying again" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)  # what Dagster terminates a run with
        process.communicate(timeout=FOR_EVER / 400)
    finally:
        process.kill()
        process.communicate()
