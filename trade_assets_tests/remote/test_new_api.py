"""An API that nobody has yet, asked with what is in `remote` alone; nothing there changes for it.

Its key goes into a header, every attempt is signed, answers are JSON, and no budget a day is kept.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from trade_assets.errors import (
    BreakerOpenError,
    CredentialsError,
    RemoteUnavailableError,
    TradeAssetsError,
)
from trade_assets.remote.exchange import AttemptExtras, Exchange, Question
from trade_assets.remote.http import Http, Response
from trade_assets.remote.protection.limits import ApiLimits, BreakerState
from trade_assets.remote.protection.protection import Protection
from trade_assets.remote.responses import ResponseJudge, json_of, words_of
from trade_assets.remote.secrets import Credential, CredentialSource, SecretsManagerCredentials
from trade_assets.settings import Settings
from trade_assets.stores.aws import secretsmanager_client
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets_tests.support.scripted_server import ScriptedServer, running_server

pytestmark = pytest.mark.integration
KEY, SECRET = "a-key-5f2c9a7e", "a-secret-c0ffee77"
LIMITS = ApiLimits(
    name="harvest:live",
    per_second=50,
    per_day=None,
    attempts=2,
    call_seconds=5.0,
    breaker_failures=2,
    breaker_open_seconds=60.0,
)


class HarvestClient:
    """Asks how much was harvested."""

    def __init__(
        self, base_url: str, credentials: CredentialSource, redis_client: "redis.Redis"
    ) -> None:
        self.protection = Protection(LIMITS, redis_client)
        self._credentials = credentials
        self._http = Http()
        self._exchange = Exchange(
            base_url,
            self.protection,
            self._http,
            setting="harvest_base_url",
            each_attempt=self._signed,
        )

    def tonnes(self, crop: str) -> float:
        credential = self._credentials.get()
        judge = ResponseJudge(f"harvest {crop}", (credential.secret, credential.key))

        def read(response: Response) -> float:
            document = json_of(response.data)
            judge.body(response, words_of(document, ("reason",)))
            if not isinstance(document, dict) or "tonnes" not in document:
                raise judge.malformed("the answer has no tonnes", response.data)
            return float(document["tonnes"])

        return self._exchange.ask(Question(judge, self._exchange.url(crop)), read)

    def close(self) -> None:
        self._http.close()

    def _signed(self, question: Question) -> AttemptExtras:
        credential: Credential = self._credentials.get()
        key = credential.key.get_secret_value()
        signature = f"{question.method} of {len(credential.secret.get_secret_value())}"
        return AttemptExtras(headers={"X-Key": key, "X-Signature": signature})


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedServer]:
    """The API."""
    with running_server() as running:
        yield running


@pytest.fixture
def redis_client(settings: Settings) -> Iterator["redis.Redis"]:
    """Where the limits are counted."""
    made = connect(settings)
    yield made
    disconnect(made)


@pytest.fixture
def make(
    settings: Settings, server: ScriptedServer, redis_client: "redis.Redis"
) -> Iterator[Callable[[], HarvestClient]]:
    """Clients with the credential that is in Secrets Manager, each as in a process of its own."""
    name = f"{settings.namespace}/harvest"
    secret = json.dumps({"key": KEY, "secret": SECRET})
    secretsmanager_client(settings).create_secret(Name=name, SecretString=secret)
    with ExitStack() as stack:

        def make_one() -> HarvestClient:
            credentials = SecretsManagerCredentials(settings, name)
            client = HarvestClient(server.url, credentials, redis_client)
            stack.callback(client.close)
            return client

        yield make_one


def test_it_is_asked_with_its_key_through_its_protection(
    make: Callable[[], HarvestClient], server: ScriptedServer, redis_client: "redis.Redis"
) -> None:
    server.script({"/wheat": [{"status": 503}, {"json": {"tonnes": 7.5}}]})
    client = make()
    assert client.tonnes("wheat") == 7.5
    first, second = server.seen()
    assert first.headers["x-key"] == second.headers["x-key"] == KEY
    assert second.headers["x-signature"] == f"GET of {len(SECRET)}"
    state = client.protection.state()
    assert (state.name, state.counters["attempts"], state.budget_used) == ("harvest:live", 2, None)
    assert all(str(key).startswith("protection:harvest:live:") for key in redis_client.keys("*"))


def test_it_is_left_alone_by_all_processes_where_it_keeps_failing(
    make: Callable[[], HarvestClient], server: ScriptedServer
) -> None:
    server.script({"/wheat": [{"status": 500}]})
    with pytest.raises(RemoteUnavailableError):
        make().tonnes("wheat")
    other = make()
    with pytest.raises(BreakerOpenError, match="harvest:live: breaker open"):
        other.tonnes("wheat")
    assert other.protection.state().breaker is BreakerState.OPEN
    assert len(server.seen()) == 2


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"status": 401, "json": {"reason": f"who is {KEY}?"}}, CredentialsError),
        ({"json": {"no": f"{SECRET}"}}, RemoteUnavailableError),
    ],
)
def test_its_errors_are_ours_and_show_no_credential(
    make: Callable[[], HarvestClient],
    server: ScriptedServer,
    reply: dict[str, object],
    expected: type[TradeAssetsError],
) -> None:
    server.script({"/wheat": [reply]})
    with pytest.raises(expected, match="harvest wheat") as caught:
        make().tonnes("wheat")
    shown = f"{caught.value!r} {vars(caught.value)}"
    assert KEY not in shown
    assert SECRET not in shown
