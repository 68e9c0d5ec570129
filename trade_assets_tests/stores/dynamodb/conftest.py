"""The tables' tests run against each local server that may hold them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from trade_assets.local.dynalite import start_dynalite
from trade_assets.ports import LOOPBACK
from trade_assets.settings import Settings
from trade_assets.stores.provision import provision
from trade_assets_tests.support.parts import LocalParts, dynalite_folder


@pytest.fixture(scope="session")
def _dynalite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with start_dynalite(dynalite_folder(), tmp_path_factory.mktemp("dynalite")) as part:
        yield f"http://{LOOPBACK}:{part.port}"


@pytest.fixture(scope="session", params=["ministack", "dynalite"])
def dynamodb_endpoint(request: pytest.FixtureRequest, local_parts: LocalParts) -> str:
    """Where the tables of a test are."""
    if request.param == "ministack":
        return local_parts.aws_endpoint
    endpoint: str = request.getfixturevalue("_dynalite")
    return endpoint


@pytest.fixture
def settings(local_parts: LocalParts, dynamodb_endpoint: str, tmp_path: Path) -> Settings:
    """As everywhere, with DynamoDB at the server in turn."""
    return local_parts.settings(tmp_path / "home", aws_endpoint_url_dynamodb=dynamodb_endpoint)


@pytest.fixture(scope="module")
def module_settings(
    local_parts: LocalParts, dynamodb_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """As everywhere, with DynamoDB at the server in turn."""
    home = tmp_path_factory.mktemp("module") / "home"
    shared = local_parts.settings(home, aws_endpoint_url_dynamodb=dynamodb_endpoint)
    provision(shared)
    return shared
