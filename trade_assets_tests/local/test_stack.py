"""The pieces of the stack that need no process: environment, configuration, refusals, status."""

import configparser
import json
from contextlib import suppress
from pathlib import Path

import pytest

from trade_assets.errors import LocalStackError, SettingsError
from trade_assets.local.child_process import PartCommand
from trade_assets.local.dagster_home import LOCATION_NAME, write_instance, write_workspace
from trade_assets.local.programs import (
    Program,
    StackPaths,
    dagster_programs,
    desk_programs,
    store_programs,
    tt_programs,
)
from trade_assets.local.stack import port_needs, running_stack, stack_environment
from trade_assets.local.stack_status import LiveFeed, StackStatus, data_line, program_line
from trade_assets.local.supervisor import ProgramState, render, socket_path
from trade_assets.settings import load_settings
from trade_assets.stores.sqs.notifications import QueueDepth

PROGRAMS = [
    Program(PartCommand("redis", ["redis"], {"A": "50% b"}), "Redis", 20, is_store=True),
    Program(PartCommand("daemon", ["daemon"], after_port=4000), "daemon", 50),
]


def _state(name: str, state: str) -> ProgramState:
    return ProgramState(name, state, pid=1, exit_code=0)


def test_ports_follow_the_settings() -> None:
    settings = load_settings(
        aws_endpoint_url="http://127.0.0.1:7001", redis_url="redis://127.0.0.1:7002/0"
    )
    without = [need.port for need in port_needs(settings, simulator=False)]
    assert without == [7001, 7002, settings.local.dagster_port]
    apart = settings.changed({"aws_endpoint_url_dynamodb": "http://127.0.0.1:7004"})
    assert [need.port for need in port_needs(apart, simulator=False)] == [
        *(7001, 7004, 7002),
        settings.local.dagster_port,
    ]
    assert [need.port for need in port_needs(settings, simulator=True)] == [
        *without,
        settings.local.tt_simulator_port,
    ]


def test_snapshots_are_off_where_nobody_simulates_tt(tmp_path: Path) -> None:
    name = "TRADE_ASSETS_TT_SNAPSHOTS_ENABLED"
    settings = load_settings(home=tmp_path)
    assert name not in stack_environment(settings, "/dagster", simulator=True)
    assert stack_environment(settings, "/dagster", simulator=False)[name] == "false"


def test_another_tt_of_the_settings_is_asked_in_place_of_the_simulator(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, tt_base_url="http://127.0.0.1:7003")
    assert settings.local.tt_simulator_port not in [
        need.port for need in port_needs(settings, simulator=True)
    ]
    for simulator in (True, False):
        environment = stack_environment(settings, "/dagster", simulator=simulator)
        assert "TRADE_ASSETS_TT_SNAPSHOTS_ENABLED" not in environment
        assert environment["TRADE_ASSETS_TT_BASE_URL"] == settings.tt.base_url


def test_programs_see_the_settings_but_no_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-an-account")
    monkeypatch.setenv("NO_PROXY", "example.org")
    settings = load_settings(home=tmp_path, window_seconds=60)
    environment = stack_environment(settings, "/dagster", simulator=True)
    assert "of-an-account" not in environment.values()
    assert environment["TRADE_ASSETS_WINDOW_SECONDS"] == "60.0"
    assert environment["TRADE_ASSETS_HOME"] == str(tmp_path.resolve())
    assert environment["DAGSTER_HOME"] == "/dagster"
    assert environment["NO_PROXY"].split(",")[:2] == ["example.org", "127.0.0.1"]


@pytest.mark.parametrize("wrong", [{"profile": "aws"}, {"redis_cluster": True}])
def test_only_a_local_stack_is_started(wrong: dict[str, object], tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, **wrong)
    with (
        pytest.raises(SettingsError, match="local parts"),
        running_stack(settings, simulator=False, say=print, stopping=print),
    ):
        pytest.fail("started")


def test_a_home_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    settings = load_settings(home=tmp_path / "a-file")
    with (
        pytest.raises(LocalStackError, match=r"cannot write .*TRADE_ASSETS_HOME"),
        running_stack(settings, simulator=False, say=print, stopping=print),
    ):
        pytest.fail("started")


def test_stores_start_by_themselves_and_the_rest_waits(tmp_path: Path) -> None:
    rendered = configparser.RawConfigParser()
    rendered.read_string(render(PROGRAMS, StackPaths(tmp_path), tmp_path / "s.sock"))
    assert rendered["program:redis"]["autostart"] == "true"
    assert rendered["program:daemon"]["autostart"] == "false"
    assert "50%% b" in rendered["program:redis"]["command"]
    assert "--after-port 4000" in rendered["program:daemon"]["command"]
    assert rendered["unix_http_server"]["chmod"] == "0600"


def test_what_asks_stops_before_what_answers(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    programs = [
        *store_programs(settings, tmp_path / "python", tmp_path / "dynalite"),
        *dagster_programs(settings, tmp_path / "workspace.yaml", 4000),
        *desk_programs(tmp_path / "outbox"),
        *tt_programs(),
    ]
    stops = [program.name for program in sorted(programs, key=lambda item: -item.priority)]
    assert len(set(stops)) == len({program.priority for program in programs})
    # The daemon requests runs of the code server, which ask TT and the stores.
    asked = [
        ("desk", "push"), ("push", "ministack"), ("daemon", "code-server"),
        ("webserver", "code-server"), ("code-server", "tt"),
        ("code-server", "redis"), ("code-server", "ministack"), ("code-server", "dynalite"),
    ]  # fmt: skip
    for asking, answering in asked:
        assert stops.index(asking) < stops.index(answering), (asking, answering)


def test_a_deep_home_gets_a_short_socket(tmp_path: Path) -> None:
    assert socket_path(Path("/short/run")) == Path("/short/run/supervisor.sock")
    short = socket_path(tmp_path / ("x" * 120))
    with suppress(OSError):
        short.parent.rmdir()
    assert len(str(short)) < 100


def test_dagster_reads_the_instance_and_the_workspace_as_written(tmp_path: Path) -> None:
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(write_instance(tmp_path))) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue
        assert queue.max_concurrent_runs == 8
        assert not instance.telemetry_enabled
        assert instance.get_settings("sensors") == {"use_threads": True, "num_workers": 4}
    written = write_workspace(tmp_path, 4000).read_text().partition("\n")[2]
    server = json.loads(written)["load_from"][0]["grpc_server"]
    assert server == {"host": "127.0.0.1", "port": 4000, "location_name": LOCATION_NAME}


def test_status_names_the_programs_that_do_not_run() -> None:
    running = {"redis": _state("redis", "RUNNING"), "daemon": _state("daemon", "STARTING")}
    assert program_line(running, PROGRAMS) == "2/2 programs run"
    broken = {"redis": _state("redis", "RUNNING"), "daemon": _state("daemon", "FATAL")}
    assert program_line(broken, PROGRAMS) == "1/2 programs run (daemon fatal)"


def test_status_shows_files_lag_and_queues_or_the_problem() -> None:
    status = StackStatus(
        history_bytes=1_234_000_000,
        feeds=(
            LiveFeed("spot_risk", "2025-07-17T19:33:31.000000Z", 0.051),
            LiveFeed("fills", "-", None),
        ),
        queue=QueueDepth(waiting=2, in_flight=1, dead=4),
    )
    line = "history 1,234 MB · spot_risk 19:33:31Z lag 0.05 s · queue 3 · dead letters 4"
    assert data_line(status) == line
    assert data_line(StackStatus(problem="Redis is away")) == "Redis is away"
