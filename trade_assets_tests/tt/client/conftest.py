"""A server that answers by a script, and clients that ask it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from trade_assets.remote.secrets import Credential
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.client.tt_client import TtClient
from trade_assets_tests.support.parts import LocalParts
from trade_assets_tests.support.scripted_server import ScriptedServer, running_server
from trade_assets_tests.tt.client.samples import TOKEN_PATH, Reply, credential, token_reply


class GivenCredentials:
    """A credential source that a test rotates by hand."""

    def __init__(self, *versions: Credential) -> None:
        self._versions = list(versions)
        self.refreshed = 0

    def get(self) -> Credential:
        return self._versions[0]

    def refresh(self) -> Credential:
        """The next version, if there is one."""
        self.refreshed += 1
        if len(self._versions) > 1:
            self._versions.pop(0)
        return self._versions[0]


class Api:
    """The scripted API and clients of it, each as if in a process of its own."""

    def __init__(self, server: ScriptedServer, settings: Settings, stack: ExitStack) -> None:
        self.server = server
        self.settings = settings
        self._stack = stack

    def script(self, token: Reply | list[Reply] | None = None, **paths: list[Reply]) -> None:
        """Replies by path without the environment: `ttledger_orders=[…]`."""
        tokens = token if isinstance(token, list) else [token or token_reply()]
        environment = self.settings.tt.environment.value
        replies = {
            "/{}/{}/{}".format(*name.split("_")[:1], environment, "/".join(name.split("_")[1:])): r
            for name, r in paths.items()
        }
        self.server.script({TOKEN_PATH: tokens, **replies})

    def redis(self) -> redis.Redis:
        made = connect(self.settings)
        self._stack.callback(disconnect, made)
        return made

    def client(self, credentials: GivenCredentials | None = None, **options: Any) -> TtClient:
        credentials = credentials or GivenCredentials(credential())
        made = TtClient(self.settings, self.redis(), credentials=credentials, **options)
        return self._stack.enter_context(made)


@pytest.fixture(scope="session")
def scripted_server() -> Iterator[ScriptedServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def make_settings(
    local_parts: LocalParts, scripted_server: ScriptedServer, tmp_path: Path
) -> Callable[..., Settings]:
    """Settings of a client that gives up soon; `overrides` by field name."""

    def make(**overrides: object) -> Settings:
        fields: dict[str, object] = {
            "tt_base_url": scripted_server.url,
            "tt_tier": "high",
            "tt_call_attempts": 2,
        }
        return local_parts.settings(tmp_path / "home", **{**fields, **overrides})

    return make


@pytest.fixture
def api(scripted_server: ScriptedServer, make_settings: Callable[..., Settings]) -> Iterator[Api]:
    with ExitStack() as stack:
        yield Api(scripted_server, make_settings(), stack)
