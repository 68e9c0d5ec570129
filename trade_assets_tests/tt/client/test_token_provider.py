"""When a token is renewed, and what serves until then; with a clock of the test's own."""

import math
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from trade_assets.errors import RemoteRejectedError, RemoteUnavailableError, TradeAssetsError
from trade_assets.remote.secrets import Credential
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import connect, disconnect
from trade_assets.tt.client.token import Seal, Token
from trade_assets.tt.client.token_cache import TokenCache
from trade_assets.tt.client.token_provider import POSTPONED_SECONDS, TokenProvider
from trade_assets_tests.tt.client.conftest import GivenCredentials
from trade_assets_tests.tt.client.samples import credential

DAY = 86_400.0


class Tokens:
    """A token service and a clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.asked = 0
        self.life = DAY
        self.error: TradeAssetsError | None = None

    def clock(self) -> float:
        return self.now

    def fetch(self, for_whom: Credential, _: float | None) -> Token:
        self.asked += 1
        if self.error is not None:
            raise self.error
        value = SecretStr(f"token-{self.asked}")
        return Token(value, for_whom, self.now, self.now + self.life)


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def cache(settings: Settings, tokens: Tokens) -> Iterator[TokenCache]:
    client = connect(settings)
    yield TokenCache(settings, client, tokens.clock)
    disconnect(client)


@pytest.fixture
def provider(cache: TokenCache, tokens: Tokens) -> TokenProvider:
    return TokenProvider(GivenCredentials(credential()), cache, tokens.fetch, tokens.clock)


def _value(token: Token) -> str:
    return token.value.get_secret_value()


@pytest.mark.parametrize(("life", "good_for"), [(DAY, DAY - 600), (1200.0, 600.0), (60.0, 30.0)])
def test_a_token_is_renewed_ten_minutes_early_or_at_half_its_life(
    provider: TokenProvider, tokens: Tokens, life: float, good_for: float
) -> None:
    tokens.life = life
    assert _value(provider.current()) == "token-1"
    tokens.now += good_for - 1
    assert _value(provider.current()) == "token-1"
    tokens.now += 1
    assert _value(provider.current()) == "token-2"
    assert tokens.asked == 2


@pytest.mark.parametrize(
    "error", [RemoteUnavailableError("away"), RemoteRejectedError("away", 404)]
)
def test_while_the_token_service_is_away_the_old_token_serves(
    provider: TokenProvider, tokens: Tokens, error: TradeAssetsError
) -> None:
    provider.current()
    tokens.error = error
    tokens.now += DAY - 300
    for _ in range(3):
        assert _value(provider.current()) == "token-1"
    assert tokens.asked == 2, "not asked again at once"
    tokens.now += POSTPONED_SECONDS
    provider.current()
    assert tokens.asked == 3
    tokens.now += 300
    with pytest.raises(type(error), match="away"):
        provider.current()


def test_while_another_renews_early_the_old_token_serves(
    provider: TokenProvider, tokens: Tokens, cache: TokenCache
) -> None:
    provider.current()
    tokens.now += DAY - 300
    with cache.turn(0):
        assert _value(provider.current()) == "token-1"
    assert tokens.asked == 1
    assert _value(provider.current()) == "token-2"


def test_a_stale_token_is_never_given_again(
    provider: TokenProvider, tokens: Tokens, cache: TokenCache
) -> None:
    stale = provider.current()
    tokens.error = RemoteUnavailableError("away")
    with pytest.raises(RemoteUnavailableError):
        provider.current(stale=stale)
    assert cache.read(credential()) is None, "nobody else should try it"
    tokens.error = None
    assert _value(provider.current(stale=stale)) == "token-3"
    assert _value(provider.current(stale=stale)) == "token-3"


def test_what_another_process_renewed_is_taken(
    provider: TokenProvider, tokens: Tokens, cache: TokenCache
) -> None:
    stale = provider.current()
    other = TokenProvider(GivenCredentials(credential()), cache, tokens.fetch, tokens.clock)
    assert _value(other.current(stale=stale)) == "token-2"
    assert _value(provider.current(stale=stale)) == "token-2"
    assert tokens.asked == 2


def test_a_rotated_secret_ends_the_token_of_the_former(cache: TokenCache, tokens: Tokens) -> None:
    credentials = GivenCredentials(credential(1), credential(2))
    provider = TokenProvider(credentials, cache, tokens.fetch, tokens.clock)
    provider.current()
    credentials.refresh()
    token = provider.current()
    assert (_value(token), token.credential) == ("token-2", credential(2))


def test_a_seal_is_of_one_secret_key_and_scope() -> None:
    token = Token(SecretStr("bearer"), credential(), 1.0, math.pi)
    sealed = Seal(credential(), "here").close(token)
    assert "bearer" not in sealed
    assert Seal(credential(), "here").open(sealed) == token
    assert Seal(credential(), "there").open(sealed) is None
    assert Seal(credential(2), "here").open(sealed) is None
    other_key = Credential(credential(2).key, credential().secret)
    assert Seal(other_key, "here").open(sealed) is None
    assert Seal(credential(), "here").open(sealed[:-8]) is None


def test_no_representation_shows_a_secret() -> None:
    token = Token(SecretStr("bearer-x"), credential(), 1.0, 2.0)
    for text in (repr(token), str(token), repr(credential())):
        assert "bearer-x" not in text
        assert credential().secret.get_secret_value() not in text
        assert credential().key.get_secret_value() not in text
