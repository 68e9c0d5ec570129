"""The token as all processes share it: sealed, in Redis. Whose turn it is to get a new one, too.

Keys, each alone in its slot of a cluster (no command touches two):

* `tt:token:<environment>` the token, sealed
* `tt:refused:<environment>` a sealed word: TT does not accept the credential that can read it
* `tt:replaced:<environment>` likewise: how many of its tokens were replaced lately
* `tt:token_turn:<environment>` lock of whoever is asking for a new token

Redis never holds a token in the clear. What a former secret sealed is unreadable, hence not there.
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from trade_assets.errors import NotAskedError, StoreRejectedError, StoreUnavailableError
from trade_assets.logs import get_logger
from trade_assets.remote.secrets import Credential
from trade_assets.settings import Settings
from trade_assets.stores.redis.client import REDIS_ERRORS, redis_errors
from trade_assets.tt.client.token import Seal, Token

if TYPE_CHECKING:
    import redis

REFUSED_SECONDS: Final = 300
"""A credential that TT refused is not tried again for so long: a vendor bans who keeps trying."""

MOST_REPLACED: Final = 3
REPLACED_SECONDS: Final = 120
"""After so many tokens that TT did not accept, none is fetched in place of another for so long:
where it accepts none at all, every call would fetch one more, and spend the day's budget."""

_POLL_SECONDS: Final = 0.05
_SPARE_SECONDS: Final = 5.0

_log = get_logger(__name__)


class TokenCache:
    """Sealed tokens in and out of Redis. Thread-safe.

    Raises (every method but `write` and those that note):
        NotAskedError: Redis is away. The protection would let nothing out either.
    """

    def __init__(
        self,
        settings: Settings,
        redis_client: "redis.Redis",
        clock: Callable[[], float] = time.time,
    ) -> None:
        environment = settings.tt.environment.value
        self._redis = redis_client
        self._clock = clock
        self._scope = f"{settings.tt_url}/{environment}"
        self._token_key = f"tt:token:{environment}"
        self._refused_key = f"tt:refused:{environment}"
        self._replaced_key = f"tt:replaced:{environment}"
        self._turn_key = f"tt:token_turn:{environment}"
        # Two calls (the second with a secret that was read again), should the holder die.
        self.turn_seconds = 2 * settings.tt.call_seconds + _SPARE_SECONDS

    def read(self, credential: Credential) -> Token | None:
        """The shared token, if it was given for this credential."""
        with _closed("reading the token"):
            sealed = self._redis.get(self._token_key)
        return self._seal(credential).open(str(sealed)) if sealed else None

    def write(self, token: Token) -> None:
        """Share a token until it expires; if Redis fails, others get one of their own."""
        sealed = self._seal(token.credential).close(token)
        seconds = max(1, math.floor(token.expires_at - self._clock()))
        self._try_set(self._token_key, sealed, seconds)

    def forget(self, stale: Token) -> None:
        """Nobody shall use this token again. Only whose turn it is may say so."""
        shared = self.read(stale.credential)
        if shared is not None and shared.value == stale.value:
            with _closed("forgetting the token"):
                self._redis.delete(self._token_key)

    def refused(self, credential: Credential) -> bool:
        """Whether TT refused this very credential a short while ago."""
        return self._noted(self._refused_key, credential) is not None

    def note_refused(self, credential: Credential) -> None:
        """Remember that for `REFUSED_SECONDS`; if Redis fails, nobody does."""
        self._note(self._refused_key, credential, "refused", REFUSED_SECONDS)

    def replaceable(self, credential: Credential) -> bool:
        """Whether a token of this credential that TT does not accept may be replaced now."""
        return self._replaced(credential) < MOST_REPLACED

    def note_replaced(self, credential: Credential) -> None:
        """Count one that was; only whose turn it is may say so. If Redis fails, nobody counts."""
        count = self._replaced(credential) + 1
        self._note(self._replaced_key, credential, str(count), REPLACED_SECONDS)

    def _replaced(self, credential: Credential) -> int:
        return int(self._noted(self._replaced_key, credential) or 0)

    @contextmanager
    def turn(self, wait_seconds: float) -> Iterator[bool]:
        """Context of asking for a token: true for one process at a time, false for who waited long.

        The turn of a process that died ends after `turn_seconds`.
        """
        with _closed("waiting for the turn to get a token"):
            lock = self._redis.lock(
                self._turn_key,
                timeout=self.turn_seconds,
                sleep=_POLL_SECONDS,
                raise_on_release_error=False,
            )
            mine = lock.acquire(blocking_timeout=wait_seconds)
        try:
            yield mine
        finally:
            if mine:
                with contextlib.suppress(*REDIS_ERRORS):  # It ends by itself.
                    lock.release()

    def _seal(self, credential: Credential) -> Seal:
        return Seal(credential, self._scope)

    def _noted(self, key: str, credential: Credential) -> str | None:
        with _closed("reading what TT refused"):
            sealed = self._redis.get(key)
        return self._seal(credential).open_text(str(sealed)) if sealed else None

    def _note(self, key: str, credential: Credential, text: str, seconds: int) -> None:
        self._try_set(key, self._seal(credential).close_text(text), seconds)

    def _try_set(self, key: str, text: str, seconds: int) -> None:
        try:
            with redis_errors(f"writing {key}"):
                self._redis.set(key, text, ex=seconds)
        except (StoreUnavailableError, StoreRejectedError) as error:
            _log.warning("not shared with other processes", key=key, error=str(error))


@contextmanager
def _closed(what: str) -> Iterator[None]:
    """Redis' errors as what they mean here: TT is not asked."""
    try:
        with redis_errors(what):
            yield
    except (StoreUnavailableError, StoreRejectedError) as error:
        raise NotAskedError(f"TT is not asked: {error}") from error
