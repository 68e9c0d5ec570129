"""Which bearer token to use, when to get a new one, and that only one caller does.

How TT is asked is `token`'s business, where processes share it `token_cache`'s.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

from trade_assets.errors import (
    CredentialsError,
    NotAskedError,
    RemoteRejectedError,
    RemoteUnavailableError,
)
from trade_assets.logs import get_logger
from trade_assets.remote.secrets import Credential, CredentialSource
from trade_assets.tt.client.token import Token
from trade_assets.tt.client.token_cache import TokenCache

POSTPONED_SECONDS: Final = 60.0
"""After a renewal that failed while the token is still good, the next one is tried this later."""

Fetch = Callable[[Credential, float | None], Token]
"""Asks TT for a token: the credential, the deadline."""

_log = get_logger(__name__)


class TokenProvider:
    """The token of a client. Thread-safe: whoever needs a new one, it is asked for once."""

    def __init__(
        self,
        credentials: CredentialSource,
        cache: TokenCache,
        fetch: Fetch,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials
        self._cache = cache
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._postponed_until = 0.0

    def current(self, deadline: float | None = None, stale: Token | None = None) -> Token:
        """A token that should be good for a call now.

        Renewed early: while one caller gets the next token, the others go on with the present one,
        and so does everybody while TT's token service is away.

        Args:
            deadline: of `time.monotonic()`.
            stale: a token that TT no longer accepts; never given again.

        Raises:
            CredentialsError: TT does not accept the credential, or there is none, or it accepts
                none of the tokens that it gives.
            RemoteUnavailableError: no token can be had now.
        """
        credential = self._credentials.get()
        token = self._good(self._token, credential, stale)
        if token and not self._due(token):
            return token
        if not self._lock.acquire(timeout=self._patience(token, deadline)):
            return token or _nobody()
        try:
            self._token = self._shared_or_new(credential, stale, deadline)
            return self._token
        finally:
            self._lock.release()

    def is_rotated(self, token: Token) -> bool:
        """Whether there is another credential by now than the one of the token; raises likewise."""
        return self._credentials.refresh() != token.credential

    def _shared_or_new(
        self, credential: Credential, stale: Token | None, deadline: float | None
    ) -> Token:
        token = self._best(credential, stale)
        if token and not self._due(token):
            return token
        with self._cache.turn(self._patience(token, deadline)) as mine:
            # Whoever had the turn before has left one.
            token = self._best(credential, stale)
            if token and not (mine and self._due(token)):
                return token
            if not mine:
                return _nobody()
            if stale:
                return self._replaced(stale, credential, deadline)
            return self._renewed(credential, token, deadline)

    def _replaced(self, stale: Token, credential: Credential, deadline: float | None) -> Token:
        if not self._cache.replaceable(credential):
            raise CredentialsError(
                "TT did not accept the last tokens that it gave, and is not asked for another yet"
            )
        self._cache.forget(stale)
        self._cache.note_replaced(credential)
        return self._renewed(credential, None, deadline)

    def _renewed(self, credential: Credential, good: Token | None, deadline: float | None) -> Token:
        """A new token; if there is none to be had, the one that is still good."""
        try:
            token = self._accepted(credential, deadline)
        except (RemoteUnavailableError, RemoteRejectedError) as error:
            if good is None:
                raise
            self._postponed_until = self._clock() + POSTPONED_SECONDS
            left = round(good.expires_at - self._clock())
            _log.warning("TT session not renewed yet", seconds_left=left, error=str(error))
            return good
        self._cache.write(token)
        _log.info("TT session renewed", seconds=round(token.expires_at - token.obtained_at))
        return token

    def _accepted(self, credential: Credential, deadline: float | None) -> Token:
        """A token; for a refused credential once more, with what the secret is by now."""
        try:
            return self._asked(credential, deadline)
        except CredentialsError:
            rotated = self._credentials.refresh()
            if rotated == credential:
                raise
            _log.info("TT credential was rotated")
        return self._asked(rotated, deadline)

    def _asked(self, credential: Credential, deadline: float | None) -> Token:
        if self._cache.refused(credential):
            raise CredentialsError(
                "TT refused the application key and secret minutes ago, and is not asked again "
                "yet; correct the secret in Secrets Manager"
            )
        try:
            return self._fetch(credential, deadline)
        except CredentialsError:
            self._cache.note_refused(credential)
            raise

    def _best(self, credential: Credential, stale: Token | None) -> Token | None:
        """Of this process' token and the shared one that which lasts longer."""
        known = (self._token, self._cache.read(credential))
        good = [token for item in known if (token := self._good(item, credential, stale))]
        return max(good, key=lambda token: token.expires_at, default=None)

    def _good(
        self, token: Token | None, credential: Credential, stale: Token | None
    ) -> Token | None:
        """The token, unless it is of a former credential, expired, or known as stale."""
        if token is None or token.credential != credential:
            return None
        if stale is not None and token.value == stale.value:
            return None
        return token if self._clock() < token.expires_at else None

    def _due(self, token: Token) -> bool:
        now = self._clock()
        return now >= token.renew_at and now >= self._postponed_until

    def _patience(self, token: Token | None, deadline: float | None) -> float:
        """Seconds to wait for others who are getting a token: none with a good one at hand."""
        if token:
            return 0.0
        longest = self._cache.turn_seconds
        return longest if deadline is None else max(0.0, min(longest, deadline - time.monotonic()))


def _nobody() -> Token:
    raise NotAskedError("TT is not asked: another caller is still getting the token")
