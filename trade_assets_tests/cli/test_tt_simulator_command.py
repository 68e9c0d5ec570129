"""The commands around the simulated TT: faults switched on, shown and off again."""

from collections.abc import Iterator

import pytest

from trade_assets.cli.tt_fault_command import Kind
from trade_assets.ports import LOOPBACK, free_port
from trade_assets.settings import Settings, load_settings
from trade_assets.simulators.tt.faults import FaultKind
from trade_assets_tests.cli.helpers import Run, runner
from trade_assets_tests.support.tt import Simulator, running_simulator


@pytest.fixture
def simulator(settings: Settings) -> Iterator[Simulator]:
    with running_simulator(settings) as running:
        yield running


@pytest.fixture
def run_tt(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    return runner(simulator.settings, monkeypatch, capsys)


@pytest.mark.integration
def test_faults_are_switched_shown_and_cleared(simulator: Simulator, run_tt: Run) -> None:
    assert run_tt("tt-fault", "list").out == "no faults\n"
    options = ("--service", "ttledger", "--count", "3", "--retry-after", "2")
    assert run_tt("tt-fault", "add", "throttle", *options).out == "fault 1 is on\n"
    assert run_tt("tt-fault", "add", "latency", "--seconds", "0.5").out == "fault 2 is on\n"
    shown = run_tt("tt-fault", "list").out.splitlines()
    assert shown[0] == "number=1 fault=throttle service=ttledger count=3 retry_after=2.0 left=3"
    assert shown[1] == "number=2 fault=latency seconds=0.5"
    assert len(run_tt("tt-fault", "list", "--json").json["faults"]) == 2
    assert run_tt("tt-fault", "clear").out == "no faults\n"
    assert simulator.faults() == []
    refused = run_tt("tt-fault", "add", "latency")
    assert refused.code == 1
    assert "a latency needs" in refused.err


def test_without_a_simulator_it_says_how_to_start_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRADE_ASSETS_TT_BASE_URL", f"http://{LOOPBACK}:{free_port()}")
    run = runner(load_settings(), monkeypatch, capsys)
    refused = run("tt-fault", "list")
    assert refused.code == 1
    assert "trade-assets tt-simulator" in refused.err
    assert "Traceback" not in refused.err


def test_kinds_are_those_of_the_simulator() -> None:
    assert [kind.value for kind in Kind] == [kind.value for kind in FaultKind]
