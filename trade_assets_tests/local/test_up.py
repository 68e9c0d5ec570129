"""`trade-assets up` as a user starts it: what it starts, heals, and leaves behind (nothing)."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from trade_assets.local import dynalite
from trade_assets.local.programs import dynamodb_port
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.stores.provision import provision
from trade_assets_tests.support.product import Running, product_settings, running_up
from trade_assets_tests.support.stores import Stores
from trade_assets_tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.integration

TINY = ("--no-simulator", "--module", "trade_assets_tests.support.tiny_definitions")


@pytest.fixture
def stack_settings(tmp_path: Path) -> Settings:
    return product_settings(tmp_path / "a home % with odd characters")


@pytest.fixture
def start(stack_settings: Settings, tmp_path: Path) -> Iterator[Callable[[], Running]]:
    with ExitStack() as started:
        yield lambda: started.enter_context(running_up(stack_settings, tmp_path, *TINY))


def _page(settings: Settings) -> int:
    url = f"http://{LOOPBACK}:{settings.local.dagster_port}/server_info"
    return urllib3.request("GET", url, timeout=PATIENCE_SECONDS).status


def _tt_secret(settings: Settings) -> str:
    client = secretsmanager_client(settings)
    return client.get_secret_value(SecretId=settings.tt_secret_name)["SecretString"]


def test_up_heals_a_killed_store_and_stops_without_a_trace(start: Callable[[], Running]) -> None:
    running = start()
    running.says("Dagster UI  ")
    assert _page(running.settings) == 200
    eventually(lambda: running.file("run-started"), "a run is under way")

    before = provision(running.settings).generation
    secret = _tt_secret(running.settings)
    tables = str(dynalite.program(running.home / dynalite.FOLDER_NAME))
    for word, said in (
        ("ministack", "ministack: is back and lost its queues"),
        (tables, "dynalite: ended and was restarted"),
    ):
        program = running.program(word)
        assert program
        program.kill()
        running.says(said)
    port = dynamodb_port(running.settings)
    eventually(lambda: port is not None and dynalite.answers(port), "DynamoDB is back")
    assert provision(running.settings).generation == before
    assert _tt_secret(running.settings) == secret

    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(PATIENCE_SECONDS) == 0, running.text()
    assert running.processes() == []
    assert running.file("run-ended")  # the run was asked to end, and given the time
    assert "Traceback" not in running.text()


def test_older_data_have_the_code_server_started_again(tmp_path: Path) -> None:
    settings = product_settings(tmp_path / "home", partitions_start=None)
    with running_up(settings, tmp_path, *TINY) as running:
        running.says("programs run")
        with Stores(settings) as stores:
            stores.first_hour.note(datetime(2025, 7, 17, 19, tzinfo=UTC))
        running.says("code-server: is started again: data begin at 2025-07-17 19:00 UTC")
        running.says("code-server: ended and was restarted")


def test_a_killed_up_takes_everything_along_and_the_next_one_starts(
    start: Callable[[], Running],
) -> None:
    first = start()
    first.says("programs run")
    generation = provision(first.settings).generation
    first.process.kill()

    second = start()  # finds the first one's processes on their way out, and waits for them
    second.says("programs run")
    assert "left behind" in second.text()
    assert provision(second.settings).generation == generation  # its stop was clean all the same
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(PATIENCE_SECONDS) == 0, second.text()
    assert second.processes() == []


@contextmanager
def _taken(port: int) -> Iterator[None]:
    with socket.create_server((LOOPBACK, port)):
        yield


def test_a_taken_port_is_one_clear_line(
    stack_settings: Settings, start: Callable[[], Running]
) -> None:
    with _taken(stack_settings.local.dagster_port):
        running = start()
        assert running.process.wait(PATIENCE_SECONDS) == 1
    said = running.text().strip().splitlines()
    assert len(said) == 1
    for part in (str(stack_settings.local.dagster_port), "Dagster UI", "TRADE_ASSETS_DAGSTER_PORT"):
        assert part in said[0]
    assert running.processes() == []
