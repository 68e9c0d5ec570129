"""The simulator as a process: its start, its end, and what it says when it cannot."""

import re
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from trade_assets.errors import PortInUseError, SettingsError
from trade_assets.ports import is_free
from trade_assets.settings import Settings, load_settings
from trade_assets.simulators.tt.server import serve
from trade_assets.simulators.tt.simulator_options import SimulatorOptions
from trade_assets.stores.provision import provision
from trade_assets.tt.resources import resources
from trade_assets_tests.simulators.tt.caller import ORDERS, Caller, stored_pair
from trade_assets_tests.support.tt import Simulator, running_simulator
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

OPTIONS = SimulatorOptions(seed=1)


@pytest.mark.integration
def test_it_ends_when_asked_to_though_somebody_waits_for_an_answer(settings: Settings) -> None:
    provision(settings, resources(settings))
    with running_simulator(settings) as running:
        caller = Caller(running, *stored_pair(settings))
        assert caller.authorise().status == 200
        running.fault(fault="latency", seconds=3600, count=1)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(caller.get, ORDERS)
            eventually(lambda: running.faults() == [], what="the call has met the fault")
            process = psutil.Process(running.process.pid)
            assert running.stop() == 0
            assert waiting.result(PATIENCE_SECONDS).status == 503
        assert not process.is_running()
        assert is_free(running.port)
        assert "Traceback" not in running.text()
        assert running.text().endswith("TT simulator: stopped\n")


@pytest.mark.integration
def test_two_processes_with_one_seed_tell_the_same(
    settings: Settings, simulator: Simulator, caller: Caller
) -> None:
    provision(settings, resources(settings))
    with running_simulator(settings, "--backlog-fills", "1300", "--redirect-share", "0") as other:
        there = Caller(other, *stored_pair(settings))
        there.authorise()
        path = "ttledger/ext_prod_sim/fills"
        assert there.get(path).json() == caller.get(path).json()


@pytest.mark.integration
def test_a_taken_port_is_explained(simulator: Simulator) -> None:
    settings = load_settings()
    with pytest.raises(PortInUseError, match=rf"{simulator.port}.*TT_SIMULATOR_PORT"):
        serve(settings, OPTIONS, simulator.port, print)


def test_real_keys_have_no_business_here() -> None:
    settings = load_settings(profile="aws")
    with pytest.raises(SettingsError, match=re.escape("TRADE_ASSETS_PROFILE=local")):
        serve(settings, OPTIONS, 0, print)
