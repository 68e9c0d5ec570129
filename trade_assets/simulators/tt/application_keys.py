"""Who may ask: the application key out of Secrets Manager, and the tokens given for it.

Key, secret and tokens are compared and handed out here, and shown nowhere.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from trade_assets.errors import TradeAssetsError
from trade_assets.logs import get_logger, hide
from trade_assets.remote.secrets import Credential, CredentialSource

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Token:
    key: str
    until: float


class Keys:
    """The application key that is good now, and the tokens. One process, one event loop.

    The secret is read again when a key does not match and whenever a token is asked for, so that a
    rotated key is good, and the old one no good, without a restart.
    """

    def __init__(
        self,
        source: CredentialSource,
        token_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._token_seconds = token_seconds
        self._monotonic = monotonic
        self._credential: Credential | None = None
        self._tokens: dict[str, _Token] = {}
        self.issued = 0

    async def knows(self, key: str) -> bool:
        """Whether an application key is good."""
        if not self._is_key(key):
            await self._read()
        return self._is_key(key)

    async def grant(self, pair: str) -> str | None:
        """A new token for `<key>:<secret>`; None if that is not good."""
        await self._read()
        found = self._credential
        if found is None:
            return None
        good = f"{found.key.get_secret_value()}:{found.secret.get_secret_value()}"
        if not _same(pair, good):
            return None
        token = secrets.token_urlsafe(48)
        hide(token)
        now = self._monotonic()
        self._tokens = {text: held for text, held in self._tokens.items() if held.until > now}
        self._tokens[token] = _Token(found.key.get_secret_value(), now + self._token_seconds)
        self.issued += 1
        return token

    def accepts(self, token: str, key: str) -> bool:
        """Whether a token is good with a key."""
        held = self._tokens.get(token)
        return held is not None and held.until > self._monotonic() and _same(held.key, key)

    def revoke(self, token: str) -> None:
        """Make a token worth nothing."""
        self._tokens.pop(token, None)

    def holds(self, text: str) -> bool:
        """Whether a text has the key, the secret or a token in it."""
        found = self._credential
        parts = [found.key, found.secret] if found else []
        known = [*(part.get_secret_value() for part in parts), *self._tokens]
        return any(part in text for part in known)

    def _is_key(self, key: str) -> bool:
        found = self._credential
        return found is not None and _same(key, found.key.get_secret_value())

    async def _read(self) -> None:
        try:
            found = await run_in_threadpool(self._source.refresh)
        except TradeAssetsError as error:
            _log.warning("no application key", reason=str(error))
            return
        self._credential = found
        hide(found.key.get_secret_value(), found.secret.get_secret_value())


def _same(given: str, good: str) -> bool:
    return hmac.compare_digest(given.encode(), good.encode())
