"""No key, secret or token shows anywhere that people look, whatever TT answers.

The whole product is looked through in `e2e`, and logs by themselves in `test_logs`.
"""

import io
import json
import logging
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import redis
import structlog
from pydantic import SecretStr

from trade_assets.errors import CredentialsError, TradeAssetsError
from trade_assets.logs import configure
from trade_assets.remote.secrets import Credential, SecretsManagerCredentials
from trade_assets.settings import Settings, TtTier
from trade_assets.simulators.tt.faults import FaultKind
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.tt.client.token_cache import TokenCache
from trade_assets.tt.client.tt_client import TtClient
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.tt import Simulator, running_simulator
from trade_assets_tests.support.waiting import PATIENCE_SECONDS

WRONG_KEY = "wrong-key-0123456789"


@dataclass
class Secrets:
    """What must not show, and everything that was shown."""

    values: set[str] = field(default_factory=set)
    shown: dict[str, str] = field(default_factory=dict)

    def found(self) -> set[str]:
        """Where a secret shows."""
        return {
            place
            for place, text in self.shown.items()
            if any(value in text for value in self.values)
        }


@pytest.fixture(scope="module")
def simulator(module_settings: Settings) -> Iterator[Simulator]:
    # Each test counts its requests in a Redis of its own: together they shall not be too many.
    roomy = module_settings.changed({"tt_tier": TtTier.HIGH})
    with running_simulator(roomy) as running:
        yield running


@pytest.fixture
def settings(simulator: Simulator, local_parts: LocalParts, tmp_path: Path) -> Settings:
    """With a Redis of its own, so that no breaker or token is left from another test."""
    fresh = local_parts.settings(tmp_path / "home")
    quick = {
        "redis_url": fresh.stores.redis_url,
        "home": fresh.platform.home,
        "log_level": "DEBUG",
        "tt_call_seconds": PATIENCE_SECONDS,
        "tt_call_attempts": 2,
        "tt_breaker_failures": 100,
    }
    simulator.clear()
    return simulator.settings.changed(quick)


@pytest.fixture
def logged(settings: Settings) -> Iterator[io.StringIO]:
    """Everything that is logged, down to DEBUG: ours as it is written, the libraries' as it is."""
    stream = io.StringIO()
    ours, root = logging.getLogger("trade_assets"), logging.getLogger()
    before = (ours.handlers, ours.level, ours.propagate, root.level)
    structured = structlog.get_config()
    configure(settings, stream)
    raw = logging.StreamHandler(stream)
    root.addHandler(raw)
    root.setLevel(logging.DEBUG)
    # It logs the bodies of Secrets Manager's answers there; the product hears it from WARNING on.
    logging.getLogger("botocore").setLevel(logging.INFO)
    yield stream
    root.removeHandler(raw)
    logging.getLogger("botocore").setLevel(logging.NOTSET)
    ours.handlers, ours.level, ours.propagate = before[:3]
    root.setLevel(before[3])
    structlog.configure(**structured)


@pytest.fixture
def known(settings: Settings) -> Secrets:
    """The key and the secret; tokens are added as they come."""
    client = secretsmanager_client(settings)
    text = client.get_secret_value(SecretId=settings.tt_secret_name)["SecretString"]
    client.close()
    return Secrets(set(json.loads(text).values()))


@pytest.fixture
def client(settings: Settings) -> Iterator[TtClient]:
    with redis_of(settings) as shared:
        made = TtClient(settings, shared)
        yield made
        made.close()


def redis_of(settings: Settings) -> "redis.Redis":
    return redis.Redis.from_url(settings.stores.redis_url.get_secret_value(), decode_responses=True)


def learn_token(settings: Settings, known: Secrets) -> None:
    """Add the token that the processes share now, which must be there."""
    with redis_of(settings) as shared:
        credential = SecretsManagerCredentials(settings, settings.tt_secret_name).get()
        token = TokenCache(settings, shared).read(credential)
    assert token is not None
    known.values.add(token.value.get_secret_value())


def everything_of(error: BaseException) -> str:
    """All that could be printed of an error, and of what led to it."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    parts = [f"{item!r} {item} {item.args} {vars(item)}" for item in chain]
    return "\n".join([*parts, *traceback.format_exception(error)])


def everything_in_redis(settings: Settings) -> str:
    with redis_of(settings) as client:
        keys = list(client.scan_iter())
        dumps = [client.execute_command("DUMP", key, NEVER_DECODE=True) for key in keys]
    return repr(keys) + repr(dumps)


def ask_everything(client: TtClient) -> None:
    client.orders()
    client.fills(time.time_ns())
    client.positions()
    client.start_of_day()


def test_nothing_shows_when_all_is_well(
    client: TtClient, settings: Settings, simulator: Simulator, known: Secrets, logged: io.StringIO
) -> None:
    ask_everything(client)
    learn_token(settings, known)
    known.shown = {
        "logs": logged.getvalue(),
        "redis": everything_in_redis(settings),
        "urls": json.dumps(simulator.requests()),
        "simulator": simulator.text(),
        "client": f"{client!r} {vars(client)}",
        "answer": repr(client.positions()),
    }
    assert len(known.values) == 3
    assert "requestId" in logged.getvalue()  # The libraries were heard.
    assert not known.found()


FAULTS: dict[FaultKind, dict[str, Any]] = {
    FaultKind.LATENCY: {"seconds": 5.0},
    FaultKind.THROTTLE: {"retry_after": 2 * PATIENCE_SECONDS},
    FaultKind.SERVER_ERROR: {"status": 502},
    FaultKind.DROP: {},
    FaultKind.EXPIRED_TOKEN: {},
    FaultKind.MALFORMED: {"body": "html"},
    FaultKind.EMPTY_PAGE: {},
    FaultKind.MAINTENANCE: {},
}


@pytest.mark.parametrize("kind", FaultKind)
@pytest.mark.parametrize("service", [None, "ttid"])
def test_nothing_shows_whatever_goes_wrong(
    kind: FaultKind,
    service: str | None,
    client: TtClient,
    settings: Settings,
    simulator: Simulator,
    known: Secrets,
    logged: io.StringIO,
) -> None:
    if service is None:
        client.positions()
        learn_token(settings, known)
    simulator.fault(fault=kind.value, service=service, **FAULTS[kind])
    # Only who gives up before the answer learns what is said of one that comes too late.
    asked = settings.changed({"tt_call_seconds": 1.5}) if kind is FaultKind.LATENCY else settings
    with redis_of(settings) as shared, TtClient(asked, shared) as client:
        calls: list[Callable[[], object]] = [client.orders, client.positions]
        for number, call in enumerate(calls):
            try:
                call()
            except TradeAssetsError as error:
                known.shown[f"error {number}"] = everything_of(error)
    simulator.clear()
    known.shown |= {
        "logs": logged.getvalue(),
        "redis": everything_in_redis(settings),
        "urls": json.dumps(simulator.requests()),
        "simulator": simulator.text(),
    }
    assert not known.found()


class WrongKey:
    """The right secret with a wrong key, as after a slip of the hand."""

    def __init__(self, settings: Settings) -> None:
        secret = SecretsManagerCredentials(settings, settings.tt_secret_name).get().secret
        self._credential = Credential(SecretStr(WRONG_KEY), secret)

    def get(self) -> Credential:
        return self._credential

    refresh = get


def test_nothing_shows_of_a_credential_that_tt_refuses(
    settings: Settings, simulator: Simulator, known: Secrets, logged: io.StringIO
) -> None:
    known.values.add(WRONG_KEY)
    with redis_of(settings) as shared:
        client = TtClient(settings, shared, credentials=WrongKey(settings))
        with pytest.raises(CredentialsError) as caught:
            client.orders()
        client.close()
    known.shown = {
        "error": everything_of(caught.value),
        "logs": logged.getvalue(),
        "redis": everything_in_redis(settings),
        "urls": json.dumps(simulator.requests()),
        "simulator": simulator.text(),
    }
    assert not known.found()


def test_nothing_shows_in_what_dagster_keeps_of_a_failed_run(
    settings: Settings, simulator: Simulator, known: Secrets, tmp_path: Path
) -> None:
    """Events, run config, tags, and the logs that it captures of the run's process."""
    simulator.fault(fault="server_error", endpoint="orders")

    @dg.op
    def ask(context: dg.OpExecutionContext) -> None:
        shared = redis_of(settings)
        client = TtClient(settings, shared)
        context.log.info(f"asking with {client!r} of {settings!r}")
        try:
            client.positions()
            client.orders()
        finally:
            client.close()
            shared.close()

    @dg.job
    def asking() -> None:
        ask()

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        done = asking.execute_in_process(instance=instance, raise_on_error=False)
        assert not done.success
        learn_token(settings, known)
        events = [str(entry) for entry in instance.all_logs(done.run_id)]
    known.shown = {"events": "\n".join(events)}
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    known.shown |= {str(path): path.read_bytes().decode("latin-1") for path in files}
    assert "RemoteUnavailableError" in known.shown["events"]
    assert any(path.suffix == ".db" for path in files)
    assert not known.found()
